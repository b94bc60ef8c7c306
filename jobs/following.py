"""Following a job at its provider to its end, and telling the provider of a dismissal."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import NotFound, ProviderError, ProviderNonsense, ProviderRefused
from common.prepared import Prepared
from jobs import due
from jobs.looks import Look
from jobs.models import Due, Job
from jobs.pace import WORKER, Again, answered, between, in_
from jobs.states import RUNNING, State
from jobs.transitions import apply, lock, move, note, nothing_new
from providers import services as providers
from providers.ports import RemoteState, RemoteStatus
from providers.registry import driver_for

log = structlog.get_logger(__name__)

READINGS = 3  # of a status document that may have been cut: some providers write while they serve
BETWEEN_READINGS = 0.3  # seconds
CANCEL_TRIES = 3
AFTERMATH = timedelta(days=7)  # how long the real end of a dismissed job is looked for
_ENDS = (RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.DISMISSED)


def poll(row: Due) -> Again:
    """Ask the provider how a job is going on."""
    job = _FOLLOWED.one(UUID(row.subject))
    if job is None:
        raise NotFound
    if job.state not in RUNNING:
        return None
    if _age(job) > settings.JOB_DEADLINE_SECONDS:
        _past_deadline(job)
        return None
    try:
        status = _status(job)
    except ProviderError as error:
        return _no_status(job, error)
    answered(job.service.provider)
    if nothing_new(job, status):
        return Look(job.pk, now(), job.next_poll_at, _next_check(job))
    job = apply(job.pk, status, actor=WORKER)
    return _next_check(job) if job.state in RUNNING else None


# Only what a look needs: most find nothing new.
_FOLLOWED = Prepared(
    lambda pk: (
        Job.objects.select_related("service__provider")
        .only(
            *("state", "percent", "message", "remote_handle", "remote_id", "outcome_unknown"),
            *("unreachable_since", "created_at", "sent_at", "next_poll_at", "results_expire_at"),
            *("checked_at", "service__provider__protocol", "service__provider__url"),
            *("service__provider__username", "service__provider__secret"),
            *("service__provider__secret_headers", "service__provider__pinned_certificate"),
            *("service__provider__extra_hosts", "service__provider__reference_header"),
            *("service__provider__lookup_url", "service__provider__last_answer_at"),
            *("service__provider__failing_since", "service__provider__results_kept_days"),
        )
        .order_by()
        .filter(pk=pk)
    ),
    UUID,
)


def cancel(row: Due) -> Again:
    """Tell the provider that a job is not wanted any more, then end it here.

    A provider that cannot be told may run the job to its end: its result is not collected, the end
    is looked for (`aftermath`), as what it used may be charged.
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
            return in_(2)
    with transaction.atomic():
        job = lock(job.pk)
        if job.state == State.CANCELLING:
            text = (
                _("The provider has stopped the job.")
                if told
                else _("The provider could not be told; what it still does is not collected.")
            )
            move(job, State.CANCELLED, actor=WORKER, reason="dismissed", text=text)
        if not told and job.remote_handle:
            lane = due.lane(provider.pk)
            due.schedule(kind="aftermath", subject=job.pk, at=in_(10), lane=lane)
    return None


def aftermath(row: Due) -> Again:
    """Learn how a job really ended whose provider could not be told of the dismissal.

    Nothing of it changes the job; its events say when the provider was through with it.
    """
    job = _job(row)
    if job.finished_at is None or job.state != State.CANCELLED:
        return None
    waited = now() - job.finished_at
    try:
        status = driver_for(job.service.provider).status(
            job.service.provider.endpoint(), job.remote_handle
        )
    except ProviderError as error:
        known = error.data.get("http_status") not in (404, 410)
        if known and waited < AFTERMATH:
            return in_(between(waited.total_seconds() / 4) + 10)
        return _tell_aftermath(job, None)
    if status.state not in _ENDS and waited < AFTERMATH:
        return in_(between(waited.total_seconds() / 4) + 10)
    return _tell_aftermath(job, status)


@transaction.atomic
def _tell_aftermath(job: Job, status: RemoteStatus | None) -> None:
    job = lock(job.pk)
    if status is None:
        text = _("The provider no longer knows the dismissed job.")
    elif status.state in _ENDS:
        text = _("The provider has ended the dismissed job; its result was not collected.")
    else:
        text = _("The provider still runs the dismissed job; it is no longer watched.")
    note(job, actor=WORKER, status=status, reason="ended_at_provider", text=text)


def _job(row: Due) -> Job:
    job = Job.objects.select_related("service__provider").filter(pk=row.subject).first()
    if job is None:
        raise NotFound
    return job


def _status(job: Job) -> RemoteStatus:
    """What the provider says; a document that cannot be understood is read again before that."""
    provider = job.service.provider
    for _reading in range(READINGS - 1):
        try:
            return driver_for(provider).status(provider.endpoint(), job.remote_handle)
        except ProviderNonsense:
            time.sleep(BETWEEN_READINGS)
    return driver_for(provider).status(provider.endpoint(), job.remote_handle)


def _no_status(job: Job, error: ProviderError) -> Again:
    provider = job.service.provider
    gone = isinstance(error, ProviderRefused) and error.data.get("http_status") in (404, 410)
    nonsense = isinstance(error, ProviderNonsense)
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
        if (gone or nonsense) and waited.total_seconds() > settings.LOST_SECONDS:
            job.error = (
                _("The provider no longer knows the job.")
                if gone
                else _("What the provider says of the job cannot be understood.")
            )
            move(job, State.FAILED, actor=WORKER, reason="lost", text=job.error)
            return None
    return in_(between(waited.total_seconds() / 4))


def _past_deadline(job: Job) -> None:
    """Give up a job that does not end, and tell its provider if that can be told."""
    provider = job.service.provider
    try:
        driver_for(provider).dismiss(provider.endpoint(), job.remote_handle)
    except ProviderError as error:
        log.info("job.dismiss_failed", job_id=str(job.pk), error=error.code)
    with transaction.atomic():
        job = lock(job.pk)
        if job.state in RUNNING:
            job.error = _("The job had not ended within %(days)s days and was given up.") % {
                "days": settings.JOB_DEADLINE_SECONDS // 86400
            }
            new = State.CANCELLED if job.state == State.CANCELLING else State.FAILED
            move(job, new, actor=WORKER, reason="deadline", text=job.error)


def _next_check(job: Job) -> datetime:
    return job.next_poll_at or in_(between(_age(job) / 10))


def _age(job: Job) -> float:
    """Seconds since the job was sent."""
    return (now() - (job.sent_at or job.created_at)).total_seconds()
