"""Handing a job to its provider: once, whatever dies or gets lost on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import (
    AddressRefused,
    Conflict,
    PortalError,
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
)
from jobs import due, limits
from jobs.links import fetchable
from jobs.models import Due, Job
from jobs.pace import WORKER, Again, answered, in_
from jobs.states import State
from jobs.transitions import apply, lock, move, note
from providers import identity, quotation
from providers import services as providers
from providers.ports import Found, RemoteStatus
from providers.registry import driver_for

LOOKUP_GRACE = timedelta(seconds=20)  # a request on its way may still arrive at the provider


def send(row: Due) -> Again:
    """Hand a job to its provider, once.

    `sent_at` is committed before the request leaves. Whoever finds it set does not know what became
    of that request, and asks the provider instead of sending.
    """
    with transaction.atomic():
        job = lock(row.job or row.subject)
        if job.state not in (State.SUBMITTED, State.SUBMITTING):
            return None
        already_sent = job.sent_at is not None
        if not already_sent:
            if wait := limits.seconds_to_wait(job):
                return in_(wait)
            job.sent_at = now()
            job.attempts += 1
            if job.state == State.SUBMITTED:
                move(job, State.SUBMITTING, actor=WORKER)
            else:
                job.save(update_fields=("sent_at", "attempts"))
    return _look_for(job) if already_sent else hand_over(job, row)


def hand_over(job: Job, row: Due) -> Again:
    """Send a job of which it is committed that it is on its way, and follow the answer.

    `row` is the work of doing so; it is done in the transaction that writes the answer.
    """
    try:
        return _hand_over(job, row)
    except Conflict as error:  # nothing was sent
        return _refuse(job, error)


def _hand_over(job: Job, row: Due) -> Again:
    provider = job.service.provider
    full = job.service_version.full_description
    wanted = replace(job.request(), inputs=fetchable(job.input_values, job.owner))
    request = identity.introduced(
        quotation.run(full, wanted),
        provider=provider,
        process=full,
        user=job.owner,
        group=job.account.group,
        title=job.title,
    )
    try:
        status = driver_for(provider).submit(
            provider.endpoint(), job.service_version.description, request, str(job.pk)
        )
    except ProviderTimeout as error:
        providers.note_failure(provider=provider)
        return _outcome_unknown(job, error)
    except ProviderRefused as error:
        answered(provider)
        return _try_later(job, error) if error.data.get("retryable") else _refuse(job, error)
    except ProviderNonsense as error:
        # It answered, so it got the request; what it made of that can be asked where there is
        # somebody to ask.
        return _outcome_unknown(job, error) if provider.lookup_url else _refuse(job, error)
    except AddressRefused as error:
        return _refuse(job, error)
    except ProviderError as error:  # certainly nothing arrived
        providers.note_failure(provider=provider)
        return _try_later(job, error)
    answered(provider)
    with transaction.atomic():
        apply(job, status, actor=WORKER)
        due.done(row)
    return None


def _look_for(job: Job) -> Again:
    """The request went out and no answer was written down: find out, never send blindly."""
    provider = job.service.provider
    found: RemoteStatus | Found
    try:
        found = driver_for(provider).find(provider.endpoint(), str(job.pk))
    except ProviderError:
        found = Found.UNKNOWN
    if isinstance(found, RemoteStatus):
        answered(provider)
        apply(job.pk, found, actor=WORKER)
        return None
    with transaction.atomic():
        job = lock(job)
        if job.state != State.SUBMITTING or job.sent_at is None:
            return None if job.state != State.SUBMITTING else now()
        waited = now() - job.sent_at
        if found == Found.NEVER_ARRIVED and waited > LOOKUP_GRACE:
            _not_sent(job, _("The provider is certain that it never got the request."))
            return now()
        if waited > timedelta(seconds=settings.UNKNOWN_OUTCOME_SECONDS):
            text = _("The provider never said what became of the request.")
            job.error = text
            move(job, State.SUBMIT_FAILED, actor=WORKER, reason="outcome_unknown", text=text)
            return None
    return _outcome_unknown(job, None)


@transaction.atomic
def _outcome_unknown(job: Job, error: PortalError | None) -> Again:
    job = lock(job)
    if job.state != State.SUBMITTING:
        return None
    if not job.outcome_unknown:
        job.outcome_unknown = True
        job.save(update_fields=("outcome_unknown",))
        note(job, actor=WORKER, reason="outcome_unknown", text=error.detail if error else "")
    waited = now() - job.sent_at if job.sent_at else timedelta()
    return in_(min(60, max(2, waited.total_seconds() / 4)))


@transaction.atomic
def _try_later(job: Job, error: PortalError) -> Again:
    """Nothing arrived, or the provider is busy: wait longer each time, up to the policy's end."""
    job = lock(job)
    if job.state != State.SUBMITTING:
        return None
    provider = job.service.provider
    if job.attempts >= provider.retry_attempts:
        job.error = error.detail
        move(job, State.SUBMIT_FAILED, actor=WORKER, reason=error.code, text=error.detail)
        return None
    first_time = job.unreachable_since is None
    job.unreachable_since = job.unreachable_since or now()
    _not_sent(job, error.detail if first_time else "")
    return in_(min(provider.retry_wait_seconds, 2.0 ** min(job.attempts, 20)))


def _not_sent(job: Job, text: str) -> None:
    job.sent_at = None
    job.outcome_unknown = False
    job.save(update_fields=("sent_at", "outcome_unknown", "unreachable_since"))
    if text:
        note(job, actor=WORKER, reason="not_arrived", text=text)


@transaction.atomic
def _refuse(job: Job, error: PortalError) -> Again:
    job = lock(job)
    if job.state == State.SUBMITTING:
        job.error = error.detail
        move(job, State.SUBMIT_REJECTED, actor=WORKER, reason=error.code, text=error.detail)
    return None
