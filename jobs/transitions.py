"""The only writer of a job's state: lock the row, check the transition, write the event.

What follows from a state (release of the hold, publishing) is written in the same transaction as a
ledger transfer or a row of due work, so that nothing is lost whatever dies next.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from accounting import bills
from common.clock import now
from common.errors import NotFound, TransitionRefused
from jobs import due
from jobs.models import Job, JobEvent, JobOutput
from jobs.outputs import store_outputs
from jobs.states import FINAL, RUNNING, SUCCESSFUL, State, allowed, way
from providers.ports import RemoteState, RemoteStatus

log = structlog.get_logger(__name__)

TOLD: dict[RemoteState, State] = {
    RemoteState.ACCEPTED: State.ACCEPTED,
    RemoteState.RUNNING: State.IN_PRODUCTION,
    RemoteState.PAUSED: State.SUSPENDED,
    RemoteState.SUCCEEDED: State.COMPLETED,
    RemoteState.FAILED: State.FAILED,
    RemoteState.DISMISSED: State.CANCELLED,
}


def lock(job_id: UUID | str) -> Job:
    """The job, locked until the end of the caller's transaction."""
    job = (
        Job.objects.select_for_update(of=("self",), no_key=True)
        .select_related("service__provider", "service_version", "owner")
        .filter(pk=job_id)
        .first()
    )
    if job is None:
        raise NotFound
    return job


def move(
    job: Job,
    new: State,
    *,
    actor: str,
    status: RemoteStatus | None = None,
    reason: str = "",
    text: str = "",
) -> None:
    """Change the state of a locked job and write the event; settle when the new state is final.

    Raises TransitionRefused when the table of transitions does not have it.
    """
    old = State(job.state)
    if not allowed(old, new):
        raise TransitionRefused(old=old, new=new)
    job.state = new
    moment = now()
    if new == State.IN_PRODUCTION and job.started_at is None:
        job.started_at = moment
    if new in FINAL:
        job.finished_at = moment
        job.outcome_unknown = False
        job.unreachable_since = None
        if new in SUCCESSFUL:
            job.percent = 100
    job.save()
    note(job, actor=actor, old=old, status=status, reason=reason, text=text)
    if new in FINAL:
        _settle(job)
    log.info("job.state", job_id=str(job.pk), old=str(old), new=str(new), reason=reason)


def note(
    job: Job,
    *,
    actor: str,
    old: State | None = None,
    status: RemoteStatus | None = None,
    reason: str = "",
    text: str = "",
) -> None:
    """Write an event on a locked job; without `old` it is no change of state."""
    last = JobEvent.objects.filter(job=job).aggregate(n=Max("number"))["n"] or 0
    JobEvent.objects.create(
        job=job,
        number=last + 1,
        at=now(),
        old_state=job.state if old is None else old,
        new_state=job.state,
        percent=job.percent,
        actor=actor,
        scheme=status.scheme if status else "",
        word=status.word[:40] if status else "",
        reason=reason,
        text=text or (status.message if status else ""),
    )


@transaction.atomic
def apply(job_id: UUID | str, status: RemoteStatus, *, actor: str) -> Job:
    """Follow what a provider says of a job.

    Final states never change again, progress never goes back; a word that changes nothing leaves
    no event. After a late answer to a dismissed job the provider is told.
    """
    job = lock(job_id)
    first_answer = _take_handle(job, status)
    if job.final:
        job.save(update_fields=("remote_handle", "remote_id"))
        if first_answer and job.state == State.CANCELLED:  # dismissed while it was on its way
            due.schedule(kind="cancel", subject=job.pk, lane=due.lane(job.service.provider_id))
        return job
    job.outcome_unknown = False
    job.unreachable_since = None
    job.checked_at = now()
    progressed = _take_progress(job, status)
    steps = way(State(job.state), TOLD[status.state])
    if steps:
        _take_result(job, status)
    for step in steps:
        text = job.error if step == State.FAILED else ""
        move(job, step, actor=actor, status=status, text=text)
    if not steps:
        job.save()
        if progressed:
            note(job, actor=actor, status=status)
    if first_answer and job.state in RUNNING:
        lane = due.lane(job.service.provider_id)
        due.schedule(kind="poll", subject=job.pk, at=first_check(), lane=lane)
    return job


def _take_handle(job: Job, status: RemoteStatus) -> bool:
    """Learn the provider's names for the job; True for its first answer."""
    if job.remote_handle or job.remote_id:
        return False
    job.remote_handle = status.handle
    job.remote_id = status.remote_id[:255]
    bills.job_dispatched(job.pk, job.remote_id)
    return True


def _take_result(job: Job, status: RemoteStatus) -> None:
    if status.state == RemoteState.SUCCEEDED:
        store_outputs(job, status.outputs)
    elif status.state == RemoteState.FAILED:
        job.error = status.error or status.message


def first_check() -> datetime:
    """When to ask for the first time how a job is going on."""
    return now() + timedelta(seconds=settings.POLL_SECONDS_FIRST)


def _take_progress(job: Job, status: RemoteStatus) -> bool:
    """Keep the provider's percent and message; True when either says something new."""
    said = (job.percent, job.message)
    if status.percent is not None and status.percent > (job.percent or 0):
        job.percent = min(status.percent, 100)
    if status.message:
        job.message = status.message
    return (job.percent, job.message) != said


def _settle(job: Job) -> None:
    """What a final state brings with it, in the same transaction."""
    successful = job.state in SUCCESSFUL
    bills.job_ended(job.pk, successful=successful)
    if successful and JobOutput.objects.filter(job=job).exists():
        due.schedule(kind="publish", subject=job.pk)
