"""Mail that the portal sends: an outbox, written with what it tells of, emptied by a worker.

Told at least once and, unless a worker dies in the second between sending and noting it, only once;
then both copies bear one Message-ID.
"""

from __future__ import annotations

import unicodedata
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.utils import translation

from common import clock
from people.models import Mail, MailState, User

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 10
FIRST_PAUSE = timedelta(minutes=1)  # doubled with each attempt; the last ones are hours apart
LONGEST_SECONDS = 30  # that one call of send_due begins new mails
LONGEST_SUBJECT = 200


def queue(user: User, key: str, subject: str, body: str) -> None:
    """Put a mail to `user` into the outbox, in the caller's transaction; the same `key` once.

    `key` names the occasion and the recipient (at most 200 characters). Somebody without an e-mail
    address, or who may no longer sign in, gets none: the mail stays in the list with that state.
    """
    reachable = user.is_active and user.email
    mail = Mail(
        key=key,
        user=user,
        subject=_one_line(subject)[:LONGEST_SUBJECT],
        body=_printable(body),
        state=MailState.WAITING if reachable else MailState.NOWHERE,
        due_at=clock.now(),
    )
    Mail.objects.bulk_create([mail], ignore_conflicts=True)


def in_language_of(user: User) -> AbstractContextManager[None]:
    """Within it, texts are in the language that `user` is written to in.

    Never in that of whoever caused the mail. The portal keeps no language of a person, so
    everybody is written to in its own, settings.LANGUAGE_CODE.
    """
    return translation.override(settings.LANGUAGE_CODE)


def link(path: str) -> str:
    """The portal's public address of a path, for use in a mail."""
    return f"{settings.BASE_URL}{path}"


def send_due(at: datetime, limit: int = 50) -> int:
    """Send at most `limit` mails that are due at `at`; returns how many were handed over.

    A mail that cannot be sent is tried again after a growing pause and given up after
    MOST_ATTEMPTS. A server that does not answer ends the call: the others wait for the next one.
    """
    due = Mail.objects.filter(state=MailState.WAITING, due_at__lte=at)
    if not due.exists():  # only read, so that idle workers take no write lock (SQLite)
        return 0
    due.filter(attempts__gte=MOST_ATTEMPTS).update(state=MailState.FAILED)
    sent, begun = 0, clock.now()
    server = get_connection()
    try:
        server.open()  # without a server no mail has had its attempt
        while sent < limit and (clock.now() - begun).total_seconds() < LONGEST_SECONDS:
            mail = _claim(at)
            if mail is None:
                break
            sent += _send(mail, server)
    except OSError as error:
        log.warning("mail.no_server", error=type(error).__name__)
    finally:
        _close(server)
    return sent


def _claim(at: datetime) -> Mail | None:
    """Take one mail: until its next attempt is due nobody else will, whatever becomes of this."""
    skip = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        rows = Mail.objects.select_for_update(of=("self",), skip_locked=skip)
        waiting = rows.filter(state=MailState.WAITING, due_at__lte=at).select_related("user")
        mail = waiting.order_by("due_at", "pk").first()
        if mail is None:
            return None
        mail.attempts += 1
        mail.due_at = clock.now() + FIRST_PAUSE * 2 ** (mail.attempts - 1)
        if not mail.user.email:
            mail.state = MailState.NOWHERE
        mail.save(update_fields=("attempts", "due_at", "state"))
    return mail


def _send(mail: Mail, server: BaseEmailBackend) -> int:
    """Hand a claimed mail over. What is wrong with this mail alone does not stop the others.

    Raises OSError when the server is gone.
    """
    if mail.state == MailState.NOWHERE:
        return 0
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    message = EmailMessage(
        mail.subject,
        mail.body,
        to=[mail.user.email],
        # RFC 3834: no holiday notices in answer.
        headers={"Message-ID": f"<mail-{mail.pk}@{host}>", "Auto-Submitted": "auto-generated"},
        connection=server,
    )
    try:
        message.send()
    except (ValueError, OSError) as error:
        log.warning("mail.refused", mail=mail.pk, error=type(error).__name__)
        _close(server)
        server.open()
        return 0
    Mail.objects.filter(pk=mail.pk).update(state=MailState.SENT, sent_at=clock.now())
    return 1


def _close(server: BaseEmailBackend) -> None:
    try:
        server.close()
    except OSError as error:
        log.warning("mail.close_failed", error=type(error).__name__)


def _one_line(text: str) -> str:
    """A header's worth of text: what breaks a line, or is no character, becomes a space."""
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    """Without control characters other than line ends (PostgreSQL cannot store them all)."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c if c == "\n" or not _is_control(c) else " " for c in kept)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
