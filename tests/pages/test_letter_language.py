"""A mail is in its reader's language, whatever the language of whoever caused it."""

from __future__ import annotations

import gettext
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import override_settings
from django.utils import translation
from django.utils.translation import trans_real

from accounting.accounts import group_account
from accounting.credit.alerts import add_rule, watch
from accounting.models import Dispute, TopUp
from common.clock import now
from people.models import Mail
from tests.factories import CREDIT
from tests.pages.conftest import client_of
from tests.pages.people import charge_of
from tests.pages.stage import Stage

WORDS = {
    "": "Content-Type: text/plain; charset=UTF-8\n",
    "Hello %(name)s,": "Guten Tag %(name)s,",
    "Granted: %(amount)s credits": "Gewährt: %(amount)s Credits",
    "You asked: %(reason)s": "Ihre Frage: %(reason)s",
    "%(name)s asks for %(amount)s credits: %(account)s": "%(name)s bittet um %(amount)s Credits",
    "Granted. Who asked gets a mail.": "Gewährt. Wer fragte, bekommt eine Mail.",
    "Credit of %(account)s is low": "%(account)s ist fast leer",
    "A dispute about your charge is %(state)s": "Der Einspruch ist %(state)s",
    "rejected": "abgelehnt",
    "Your dispute was rejected": "Ihr Einspruch wurde abgelehnt",
    "The charge of %(when)s by %(provider)s": "Die Abbuchung von %(provider)s",
}


def write_catalogue(file: Path) -> None:
    """GNU's compiled form: two tables of lengths and offsets, then the texts."""
    texts = sorted((k.encode(), v.encode()) for k, v in WORDS.items())
    keys = b"".join(k + b"\0" for k, _v in texts)
    start, tables = 28 + 16 * len(texts), ([], [])  # type: ignore[var-annotated]
    places = [start, start + len(keys)]
    for pair in texts:
        for table, which in zip(tables, (0, 1), strict=True):
            table += [len(pair[which]), places[which]]
            places[which] += len(pair[which]) + 1
    head = (0x950412DE, 0, len(texts), 28, 28 + 8 * len(texts), 0, 0)
    numbers = (*head, *tables[0], *tables[1])
    values = b"".join(v + b"\0" for _k, v in texts)
    file.parent.mkdir(parents=True)
    file.write_bytes(struct.pack(f"<{len(numbers)}I", *numbers) + keys + values)


@pytest.fixture
def german(tmp_path: Path) -> Iterator[None]:
    """The portal has some words in German."""

    def forget() -> None:
        trans_real._translations = {}  # type: ignore[attr-defined]
        trans_real._default = None  # type: ignore[attr-defined]
        gettext._translations = {}  # type: ignore[attr-defined]

    write_catalogue(tmp_path / "de" / "LC_MESSAGES" / "django.mo")
    with override_settings(LOCALE_PATHS=[str(tmp_path)]):
        forget()
        yield
    forget()
    translation.activate(django_settings.LANGUAGE_CODE)


def asked(stage: Stage, language: str) -> str:
    """The researcher asks for credit, the administrator grants, both with a browser in it."""
    headers = {"Accept-Language": language}
    ask = f"/credit/{stage.account.pk}/requests/ask"
    given = {"amount": "3", "reason": "March", "key": "k"}
    client_of(stage.researcher).post(ask, given, headers=headers)
    page = f"/credit/requests/{TopUp.objects.get().pk}/"
    act = {"action": "grant", "amount": "2"}
    answer = client_of(stage.admin).post(page, act, headers=headers, follow=True)
    return answer.content.decode()


def mails(user: object) -> list[Mail]:
    return list(Mail.objects.filter(user=user).order_by("pk"))


def test_the_actor_reads_the_own_language_and_the_mail_has_the_readers(
    stage: Stage, german: None
) -> None:
    assert "Gewährt. Wer fragte, bekommt eine Mail." in asked(stage, "de")
    assert mails(stage.admin)[0].subject == "Ada Meadow asks for 3.00 credits: Wetland watch"
    [told] = mails(stage.researcher)
    assert told.subject == "Granted: 2.00 credits"
    assert told.body.startswith("Hello Ada Meadow,\n\nYou asked: March\n\n")


def test_a_portal_in_another_language_writes_in_it(stage: Stage, german: None) -> None:
    with override_settings(LANGUAGE_CODE="de"):
        assert "Granted. Who asked gets a mail." in asked(stage, "en")
        assert mails(stage.admin)[0].subject == "Ada Meadow bittet um 3.00 Credits"
        [told] = mails(stage.researcher)
        assert told.subject == "Gewährt: 2.00 Credits"
        assert told.body.startswith("Guten Tag Ada Meadow,\n\nIhre Frage: March\n\n")


def test_answers_to_disputes_and_alerts_as_well(stage: Stage, german: None) -> None:
    job = stage.succeeded()
    charge = f"/credit/charges/{charge_of(job).pk}/"
    said = {"action": "dispute", "text": "All cells are empty."}
    client_of(stage.researcher).post(charge, said, headers={"Accept-Language": "de"})
    dispute = Dispute.objects.get()
    no = {"action": "resolve", "dispute": str(dispute.pk), "state": "REJECTED", "answer": "No."}
    client_of(stage.operator).post(charge, no, headers={"Accept-Language": "de"})
    dispute.refresh_from_db()
    assert dispute.state == "REJECTED"
    assert mails(stage.researcher)[-1].subject == "Your dispute was rejected"
    assert "The charge of" in mails(stage.researcher)[-1].body
    assert mails(stage.provider_owner)[-1].subject == "A dispute about your charge is rejected"
    add_rule(actor=stage.admin, account=group_account(stage.group), amount=10_000 * CREDIT)
    with translation.override("de"):
        watch(now())
    assert mails(stage.admin)[-1].subject == "Credit of Wetland watch is low"
