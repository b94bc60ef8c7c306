"""Addresses that are told how a job goes on (OGC API – Processes, 18-062r2 §11, and any door)."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import InvalidInput, ProviderError
from common.guard import addresses_of, target_of
from common.http import Limits, fetch
from jobs.messages import results_of, status_of
from jobs.models import CallbackEvent, CallbackState, Due, JobCallback

if TYPE_CHECKING:
    from people.models import User

MOST_CALLBACKS = 10
MOST_ATTEMPTS = 12
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 6 * 3600.0  # seconds; the last attempt is about a day later
LIMITS = Limits(connect=5, read=10, total=20, max_bytes=64 * 1024)
SUCCESS = 2  # hundred


def checked_callbacks(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The pairs of event and address, each once; asks the name service, so not in a transaction.

    Raises InvalidInput, with the event as its locator, for an unknown event and for an address
    that the portal must not call.
    """
    wanted = tuple(dict.fromkeys((str(event), url.strip()) for event, url in pairs))
    if len(wanted) > MOST_CALLBACKS:
        text = _("At most %(most)s addresses can be told.") % {"most": MOST_CALLBACKS}
        raise InvalidInput(text, locator="callbacks")
    for event, url in wanted:
        if event not in CallbackEvent.values:
            raise InvalidInput(_("There is no such event."), locator=event[:40])
        try:
            addresses_of(target_of(url, by_user=True))
        except ProviderError as error:
            raise InvalidInput(error.detail, locator=event) from None
    return wanted


def deliver(row: Due) -> datetime | None:
    """The step of the due work `callback`: tell one address, and again later if it is not there.

    Told at least once; a receiver that answered and was not heard is told again.
    """
    found = JobCallback.objects.select_related(
        "job__service__provider", "job__service_version", "job__owner"
    )
    callback = found.filter(pk=row.subject).first()
    if callback is None or not _wanted(callback):
        return None
    error = _send(callback)
    rows = JobCallback.objects.filter(pk=callback.pk)
    if not error:
        rows.update(state=CallbackState.DELIVERED, attempts=0, last_error="", delivered_at=now())
        return None
    attempts = callback.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        rows.update(state=CallbackState.GIVEN_UP, attempts=attempts, last_error=error[:300])
        return None
    rows.update(state=CallbackState.WAITING, attempts=attempts, last_error=error[:300])
    wait = FIRST_PAUSE * 2 ** (attempts - 1) * random.uniform(0.8, 1.2)  # noqa: S311 (jitter)
    return now() + timedelta(seconds=min(wait, LONGEST_PAUSE))


def signature(secret: str, moment: int, body: bytes) -> str:
    """The value of X-Tep-Signature: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`."""
    told = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={told.hexdigest()}"


def secret_of(user: User) -> str:
    """The secret by which the user's receivers know that the portal calls; 64 hex digits."""
    return salted_hmac("jobs.callbacks", str(user.pk), algorithm="sha256").hexdigest()


def _wanted(callback: JobCallback) -> bool:
    """Progress is told while the job goes on, its end once."""
    if callback.state == CallbackState.GIVEN_UP:
        return False
    if callback.event == CallbackEvent.IN_PROGRESS:
        return not callback.job.final
    return callback.state == CallbackState.WAITING


def _send(callback: JobCallback) -> str:
    """What went wrong, for people; "" when it was received."""
    job = callback.job
    told = results_of(job) if callback.event == CallbackEvent.SUCCESS else status_of(job)
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Tep-Event": callback.event,
        "X-Tep-Job": str(job.pk),
        "X-Tep-Signature": signature(secret_of(job.owner), int(now().timestamp()), body),
    }
    try:
        answer = fetch(
            "POST", callback.url, headers=headers, body=body, limits=LIMITS, by_user=True
        )
    except ProviderError as error:
        return error.detail
    if answer.status // 100 == SUCCESS:
        return ""
    return _("The address answered with status %(status)s.") % {"status": answer.status}
