"""People at their pages: open one, post a form, read one's mail."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail

from accounting.models import Account, Transfer, TransferKind
from accounting.requests import adjustments, disputes, topups
from common.clock import now
from jobs.models import Job
from people.mail import send_due
from people.models import User
from providers.ports import RemoteState
from tests.factories import CREDIT, make_user
from tests.pages.conftest import client_of
from tests.pages.stage import Stage


def letters() -> dict[str, list[Any]]:
    """The mails that came since the last call, by address."""
    mail.outbox.clear()
    send_due(now())
    found: dict[str, list[Any]] = {}
    for message in mail.outbox:
        found.setdefault(message.to[0], []).append(message)
    return found


def open_page(user: User, address: str) -> str:
    answer = client_of(user).get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def follow(user: User, message: Any) -> str:
    """Open the link in a mail."""
    link = re.search(r"^http://testserver(/\S+)$", message.body, re.M)
    assert link is not None, message.body
    return open_page(user, link[1])


def post(user: User, address: str, **data: Any) -> str:
    answer = client_of(user).post(address, data, follow=True)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def available(account: Account) -> int:
    return Account.objects.get(pk=account.pk).available // CREDIT


def key_in(html: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', html)
    assert found is not None
    return found[1]


def charge_of(job: Job) -> Transfer:
    return Transfer.objects.get(reference=str(job.pk), kind=TransferKind.CHARGE)


def unreported(stage: Stage) -> Job:
    """A job that succeeded, of which no usage came."""
    job = stage.job("No record")
    stage.sent(job)
    return stage.told(job, RemoteState.SUCCEEDED, percent=100)


def something_of_each(stage: Stage, job: Job) -> tuple[str, str]:
    """A request that was asked about, a disputed charge, and a correction to be approved."""
    more = {"amount": 40 * CREDIT, "reason": "Twelve monthly composites of the reed belt."}
    asked = topups.ask(actor=stage.researcher, account=stage.account, quote=job.quote, **more)
    topups.ask_back(actor=stage.admin, top_up=asked, question="Could they be quarterly?")
    charge, text = charge_of(job), "The raster is empty: all cells are no-data."
    disputes.open_dispute(actor=stage.researcher, charge_id=charge.pk, text=text)
    large = {"amount": 250 * CREDIT, "reason": "Outage in May, agreed with the group"}
    adjustments.propose(actor=make_user(is_staff=True), account=stage.account, **large)
    return f"/credit/requests/{asked.pk}/", f"/credit/charges/{charge.pk}/"
