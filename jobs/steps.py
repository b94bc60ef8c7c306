"""What each kind of due work does. Every step may be repeated, and may die at any line.

A step returns when it is due again, or None when it is finished. Providers are called outside
transactions; what they say is written by `transitions.apply`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import (
    AddressRefused,
    NotFound,
    PortalError,
    ProviderError,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
)
from jobs import due, periodic, results
from jobs.models import Due, Job
from jobs.states import RUNNING, State
from jobs.transitions import apply, lock, move, note
from providers import services as providers
from providers.models import Provider
from providers.ports import Found, RemoteStatus
from providers.registry import driver_for

log = structlog.get_logger(__name__)

WORKER = "worker"
LOST_AFTER = timedelta(hours=24)  # a status that the provider does not know for so long
LOOKUP_GRACE = timedelta(seconds=20)  # a request on its way may still arrive at the provider
CANCEL_TRIES = 3
Again = datetime | None


def send(row: Due) -> Again:
    """Hand a job to its provider, once.

    `sent_at` is committed before the request leaves. Whoever finds it set does not know what became
    of that request, and asks the provider instead of sending.
    """
    with transaction.atomic():
        job = lock(row.subject)
        if job.state == State.SUBMITTED:
            move(job, State.SUBMITTING, actor=WORKER)
        if job.state != State.SUBMITTING:
            return None
        already_sent = job.sent_at is not None
        if not already_sent:
            if _slots_taken(job.service.provider):
                return _in(5)
            job.sent_at = now()
            job.attempts += 1
            job.save(update_fields=("sent_at", "attempts"))
    return _look_for(job) if already_sent else _hand_over(job)


def poll(row: Due) -> Again:
    """Ask the provider how a job is going on."""
    job = _job(row)
    if job.state not in RUNNING:
        return None
    provider = job.service.provider
    try:
        status = driver_for(provider).status(provider.endpoint(), job.remote_handle)
    except ProviderError as error:
        return _no_status(job, error)
    _answered(provider)
    return _next_check(apply(job.pk, status, actor=WORKER))


def cancel(row: Due) -> Again:
    """Tell the provider that a job is not wanted any more, then end it here.

    A provider that cannot be told may run the job to its end; its result is not collected.
    """
    job = _job(row)
    if job.state not in (State.CANCELLING, State.CANCELLED):
        return None
    provider = job.service.provider
    told = False
    try:
        told = driver_for(provider).dismiss(provider.endpoint(), job.remote_handle)
    except ProviderError as error:
        log.info("job.dismiss_failed", job_id=str(job.pk), error=error.code)
        if row.attempts < CANCEL_TRIES:
            return _in(2)
    with transaction.atomic():
        job = lock(job.pk)
        if job.state == State.CANCELLING:
            text = (
                _("The provider has stopped the job.")
                if told
                else _("The provider could not be told; what it still does is not collected.")
            )
            move(job, State.CANCELLED, actor=WORKER, reason="dismissed", text=text)
    return None


STEPS: dict[str, Callable[[Due], Again]] = {
    "send": send,
    "poll": poll,
    "cancel": cancel,
    "publish": results.publish,
    "usage": periodic.usage,
    "discover": periodic.discover,
    "sweep": periodic.sweep,
}


def _job(row: Due) -> Job:
    job = Job.objects.select_related("service__provider").filter(pk=row.subject).first()
    if job is None:
        raise NotFound
    return job


def _hand_over(job: Job) -> Again:
    provider = job.service.provider
    try:
        status = driver_for(provider).submit(
            provider.endpoint(), job.service_version.description, job.request(), str(job.pk)
        )
    except ProviderTimeout as error:
        providers.note_failure(provider=provider)
        return _outcome_unknown(job, error)
    except ProviderRefused as error:
        _answered(provider)
        return _try_later(job, error) if error.data.get("retryable") else _refuse(job, error)
    except (AddressRefused, ProviderNonsense) as error:
        return _refuse(job, error)
    except ProviderError as error:  # certainly nothing arrived
        providers.note_failure(provider=provider)
        return _try_later(job, error)
    _answered(provider)
    apply(job.pk, status, actor=WORKER)
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
        _answered(provider)
        apply(job.pk, found, actor=WORKER)
        return None
    with transaction.atomic():
        job = lock(job.pk)
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
    job = lock(job.pk)
    if job.state != State.SUBMITTING:
        return None
    if not job.outcome_unknown:
        job.outcome_unknown = True
        job.save(update_fields=("outcome_unknown",))
        note(job, actor=WORKER, reason="outcome_unknown", text=error.detail if error else "")
    waited = now() - job.sent_at if job.sent_at else timedelta()
    return _in(min(60, max(2, waited.total_seconds() / 4)))


@transaction.atomic
def _try_later(job: Job, error: PortalError) -> Again:
    """Nothing arrived, or the provider is busy: wait longer each time, up to the policy's end."""
    job = lock(job.pk)
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
    return _in(min(provider.retry_wait_seconds, 2.0 ** min(job.attempts, 20)))


def _not_sent(job: Job, text: str) -> None:
    job.sent_at = None
    job.outcome_unknown = False
    job.save(update_fields=("sent_at", "outcome_unknown", "unreachable_since"))
    if text:
        note(job, actor=WORKER, reason="not_arrived", text=text)


@transaction.atomic
def _refuse(job: Job, error: PortalError) -> Again:
    job = lock(job.pk)
    if job.state == State.SUBMITTING:
        job.error = error.detail
        move(job, State.SUBMIT_REJECTED, actor=WORKER, reason=error.code, text=error.detail)
    return None


def _no_status(job: Job, error: ProviderError) -> Again:
    provider = job.service.provider
    gone = isinstance(error, ProviderRefused) and error.data.get("http_status") in (404, 410)
    if not gone:
        providers.note_failure(provider=provider)
    with transaction.atomic():
        job = lock(job.pk)
        if job.state not in RUNNING:
            return None
        if job.unreachable_since is None:
            job.unreachable_since = now()
            job.save(update_fields=("unreachable_since",))
            note(job, actor=WORKER, reason=error.code, text=error.detail)
        waited = now() - job.unreachable_since
        if gone and waited > LOST_AFTER:
            job.error = _("The provider no longer knows the job.")
            move(job, State.FAILED, actor=WORKER, reason="lost", text=job.error)
            return None
    return _in(_between(waited.total_seconds() / 4))


def _next_check(job: Job) -> Again:
    if job.state not in RUNNING:
        return None
    age = (now() - (job.sent_at or job.created_at)).total_seconds()
    return _in(_between(age / 10))


def _between(seconds: float) -> float:
    return float(max(settings.POLL_SECONDS_FIRST, min(settings.POLL_SECONDS_MOST, seconds)))


def _in(seconds: float) -> datetime:
    """That many seconds from now, more or less: jobs of one moment do not stay in step."""
    return now() + timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 (jitter)


def _slots_taken(provider: Provider) -> bool:
    """Whether the provider already has as many jobs as it takes at once."""
    if not provider.max_running_jobs:
        return False
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    there = Q(state__in=RUNNING) | Q(state=State.SUBMITTING, sent_at__isnull=False)
    running = Job.objects.filter(there, service__provider=provider).count()
    return running >= provider.max_running_jobs


def _answered(provider: Provider) -> None:
    """The provider is there; if it was away, what waited for it is due now."""
    was_away = provider.failing_since is not None
    providers.note_answer(provider=provider)
    if was_away:
        due.hurry(due.lane(provider.pk))
