"""The outbox: written with what it tells of, sent once, tried again, never in the way."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as django_mail
from django.core.mail.backends import locmem
from django.db import connection, transaction

from common import clock
from jobs import due, periodic
from jobs.models import Due
from jobs.worker import run_one
from people import mail
from people.models import Mail, MailState
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def letter(**fields: Any) -> Mail:
    user = make_user()
    mail.queue(user, f"key:{user.pk}", "Subject", "Body")
    Mail.objects.filter(user=user).update(**fields) if fields else None
    return Mail.objects.get(user=user)


def test_one_occasion_is_told_once_and_only_if_it_happened() -> None:
    user = make_user()
    with transaction.atomic():
        mail.queue(user, "occasion:1", "It happened", "It did not.")
        transaction.set_rollback(True)
    for _time in range(2):
        mail.queue(user, "occasion:1", "It happened", "It did.")
    assert mail.send_due(clock.now()) == 1
    assert mail.send_due(clock.now() + timedelta(days=1)) == 0
    [sent] = django_mail.outbox
    assert (sent.to, sent.subject, sent.body) == ([user.email], "It happened", "It did.")
    assert Mail.objects.get().state == MailState.SENT


def test_nothing_that_somebody_wrote_becomes_a_header() -> None:
    user = make_user()
    evil = "Hello\r\nBcc: victim@example.org\n\n<script>\u2028x\x00"
    mail.queue(user, "evil", evil * 20, f"Body\x00\r\n.\r\n{evil}")
    mail.send_due(clock.now())
    [sent] = django_mail.outbox
    message = sent.message()
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Hello Bcc: victim@example.org <script> x")
    assert len(sent.subject) <= 200
    assert "\x00" not in sent.body
    assert message["Message-ID"] == f"<mail-{Mail.objects.get().pk}@testserver>"
    assert message["Auto-Submitted"] == "auto-generated"


def test_who_cannot_be_reached_is_in_the_list() -> None:
    silent, gone, later = make_user(), make_user(is_active=False), make_user()
    silent.email = ""
    silent.save()
    for user in (silent, gone, later):
        mail.queue(user, f"news:{user.pk}", "News", "…")
    later.email = ""
    later.save()
    assert mail.send_due(clock.now()) == 0
    assert set(Mail.objects.values_list("state", flat=True)) == {MailState.NOWHERE}
    assert Mail.objects.count() == 3
    assert django_mail.outbox == []


def test_a_refused_mail_is_tried_later_and_later_and_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad, good = letter(), letter()

    def refuse(self: object, messages: list[Any]) -> int:
        if messages[0].to == [bad.user.email]:
            raise smtplib.SMTPRecipientsRefused({})
        return len(messages)

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", refuse)
    at, pauses = clock.now(), []
    assert mail.send_due(at) == 1
    good.refresh_from_db()
    assert good.state == MailState.SENT
    while Mail.objects.get(pk=bad.pk).state == MailState.WAITING:
        before = clock.now()
        bad.refresh_from_db()
        pauses.append(bad.due_at - before)
        assert mail.send_due(before) == 0  # not before its time
        mail.send_due(bad.due_at)
    assert Mail.objects.get(pk=bad.pk).state == MailState.FAILED
    assert Mail.objects.get(pk=bad.pk).attempts == mail.MOST_ATTEMPTS == len(pauses)
    assert pauses == sorted(pauses)
    assert pauses[-1] > timedelta(hours=8)


@pytest.fixture
def hanging_server() -> Iterator[int]:
    """Takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_server_that_hangs_costs_one_time_out_and_no_attempt(
    settings: Any, hanging_server: int
) -> None:
    letters = [letter() for _ in range(5)]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", hanging_server
    settings.EMAIL_TIMEOUT = 0.5
    began = time.monotonic()
    assert mail.send_due(clock.now()) == 0
    assert time.monotonic() - began < 3
    for one in letters:
        one.refresh_from_db()
        assert (one.state, one.attempts) == (MailState.WAITING, 0)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert mail.send_due(clock.now()) == 5


def test_the_worker_empties_the_outbox() -> None:
    letter()
    periodic.ensure()
    Due.objects.exclude(kind="mail").delete()
    assert run_one(owner="test")
    assert len(django_mail.outbox) == 1
    assert Due.objects.get(kind="mail").due_at > clock.now()
    due.schedule(kind="mail", subject="all")
    assert run_one(owner="test")
    assert len(django_mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_send_each_mail_once(monkeypatch: pytest.MonkeyPatch) -> None:
    letters = [letter() for _ in range(12)]
    handed: Counter[str] = Counter()
    begin = threading.Barrier(4)

    def slowly(self: object, messages: list[Any]) -> int:
        time.sleep(0.01)
        handed.update(messages[0].to)
        return 1

    def work(_number: int) -> int:
        try:
            begin.wait(timeout=30)
            return mail.send_due(clock.now())
        finally:
            connection.close()

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", slowly)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 12
    assert handed == Counter(one.user.email for one in letters)
