"""The only writer of a job's state: lock the row, check the transition, write the event.

What follows from a state (release of the hold, publishing) is written in the same transaction as a
ledger transfer or a row of due work, so that nothing is lost whatever dies next.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from accounting import bills
from common.clock import now
from common.errors import NotFound, TransitionRefused
from common.prepared import Prepared, execute
from common.rows import insert, update
from jobs import due, endings
from jobs.models import CallbackEvent, Job
from jobs.outputs import store_outputs
from jobs.pace import WORKER
from jobs.states import FINAL, RUNNING, SUCCESSFUL, State, allowed, way
from providers.ports import RemoteState, RemoteStatus

log = structlog.get_logger(__name__)

# A provider's wish for the next question is followed within these.
SOONEST_POLL = timedelta(seconds=2)
LATEST_POLL = timedelta(minutes=10)
TOLD: dict[RemoteState, State] = {
    RemoteState.ACCEPTED: State.ACCEPTED,
    RemoteState.RUNNING: State.IN_PRODUCTION,
    RemoteState.PAUSED: State.SUSPENDED,
    RemoteState.SUCCEEDED: State.COMPLETED,
    RemoteState.FAILED: State.FAILED,
    RemoteState.DISMISSED: State.CANCELLED,
}


def lock(job: Job | UUID | str) -> Job:
    """The job, locked until the end of the caller's transaction.

    One in hand is brought up to date; what it refers to stays as it was read.
    """
    found = job if isinstance(job, Job) else _LOCKED.one(UUID(str(job)))
    if found is None or (found is job and not _LOCKED_ALONE.refresh(found, found.pk)):
        raise NotFound
    found.known_outputs = None
    return found


# What a job is made with never changes.
_MADE_WITH = (
    *("owner", "account", "service", "service_version", "quote", "door", "idempotency_key"),
    *("fingerprint", "inputs", "requested_outputs", "raw", "created_at"),
)
_LOCKED_ALONE = Prepared(
    lambda pk: Job.objects.select_for_update(no_key=True).defer(*_MADE_WITH).filter(pk=pk), UUID
)

_LOCKED = Prepared(
    lambda pk: (
        Job.objects.select_for_update(of=("self",), no_key=True)
        .select_related("service__provider", "service_version", "owner", "account__group")
        .filter(pk=pk)
    ),
    UUID,
)


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
    if new == State.CANCELLING:
        job.dismissed_at = moment
    if new in FINAL:
        job.finished_at = moment
        job.outcome_unknown = False
        job.unreachable_since = None
        if new in SUCCESSFUL:
            job.percent = 100
    update(job, _WRITTEN)
    note(job, actor=actor, old=old, status=status, reason=reason, text=text)
    if new in FINAL:
        endings.settle(job)
    _log(job, old, new, reason)


def begin(job: Job, *, actor: str, text: str, on_its_way: bool) -> None:
    """Write a new job, submitted, with its events.

    `on_its_way`: the caller sends it right after the commit, so what `sending.send` commits before
    a request leaves is written here.
    """
    moment = now()
    steps = [
        (State.VALIDATED, State.VALIDATED, actor, "created", text),
        (State.VALIDATED, State.SUBMITTED, actor, "", ""),
    ]
    if on_its_way:
        steps.append((State.SUBMITTED, State.SUBMITTING, WORKER, "", ""))
        job.sent_at, job.attempts = moment, 1
    job.state = steps[-1][1]
    insert(job)
    events = [
        (job.pk, moment, old.value, new.value, *told, number)
        for number, (old, new, *told) in enumerate(steps, start=1)
    ]
    execute(_FIRST + ", ".join([_EVENT] * len(events)), list(chain.from_iterable(events)))
    _log(job, State.VALIDATED, State(job.state))


_FIRST = (
    "INSERT INTO jobs_jobevent (job_id, at, old_state, new_state, actor, scheme, word, reason,"
    " text, number) VALUES "
)
_EVENT = "(%s, %s, %s, %s, %s, '', '', %s, %s, %s)"


def _log(job: Job, old: State, new: State, reason: str = "") -> None:
    log.info("job.state", job_id=str(job.pk), old=str(old), new=str(new), reason=reason)


# What a status may change that is no new state.
_TOLD_FIELDS = (
    *("percent", "message", "remote_handle", "remote_id", "checked_at", "next_poll_at"),
    *("results_expire_at", "outcome_unknown", "unreachable_since"),
)
_MOVED_FIELDS = ("state", "error", "attempts", "sent_at", "started_at")
# All that the run of a job changes in its row.
_WRITTEN = (*_TOLD_FIELDS, *_MOVED_FIELDS, "dismissed_at", "finished_at")


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
    values = (
        job.pk,
        now(),
        str(job.state if old is None else old),
        str(job.state),
        job.percent,
        actor,
        status.scheme if status else "",
        status.word[:40].replace("\x00", "") if status else "",
        reason,
        text or (status.message if status else ""),
    )
    execute(_NOTE, (*values, job.pk))


# One statement: the number is the next one, as the job is locked.
_NOTE = (
    "INSERT INTO jobs_jobevent (job_id, at, old_state, new_state, percent, actor, scheme, word,"
    " reason, text, number)"
    " SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, COALESCE(MAX(number), 0) + 1"
    " FROM jobs_jobevent WHERE job_id = %s"
)


@transaction.atomic(savepoint=False)
def apply(job: Job | UUID | str, status: RemoteStatus, *, actor: str) -> Job:
    """Follow what a provider says of a job.

    Final states never change again, progress never goes back; a word that changes nothing leaves
    no event. After a late answer to a dismissed job the provider is told.
    """
    job = lock(job)
    first_answer = _take_handle(job, status)
    if job.final:
        job.save(update_fields=("remote_handle", "remote_id"))
        if first_answer and job.state == State.CANCELLED:  # dismissed while it was on its way
            due.schedule(kind="cancel", subject=job.pk, lane=due.lane(job.service.provider_id))
        return job
    progressed = _take_word(job, status)
    steps = way(State(job.state), TOLD[status.state])
    if steps:
        _take_result(job, status)
    for step in steps:
        text = job.error if step == State.FAILED else ""
        move(job, step, actor=actor, status=status, text=text)
    if not steps:
        job.save(update_fields=_TOLD_FIELDS)
        if progressed:
            note(job, actor=actor, status=status)
    if job.state in RUNNING:
        _go_on(job, first_answer=first_answer, moved=bool(steps) or progressed)
    return job


def nothing_new(job: Job, status: RemoteStatus) -> bool:
    """Whether `apply` would only write when the job was looked at, and is to be looked at again.

    `job` as it was read, without a lock; it has the new times afterwards, and is not to be saved.
    """
    if job.final or not (job.remote_handle or job.remote_id):
        return False
    before = [getattr(job, name) for name in _TOLD_FIELDS if name not in _TIMES]
    _take_word(job, status)
    after = [getattr(job, name) for name in _TOLD_FIELDS if name not in _TIMES]
    return before == after and not way(State(job.state), TOLD[status.state])


_TIMES = ("checked_at", "next_poll_at")


def _take_word(job: Job, status: RemoteStatus) -> bool:
    """Keep what the provider says of a job besides its state; True when there is progress."""
    job.outcome_unknown = False
    job.unreachable_since = None
    job.checked_at = now()
    _take_times(job, status)
    return _take_progress(job, status)


def _go_on(job: Job, *, first_answer: bool, moved: bool) -> None:
    """A job that the provider goes on with: it is asked again, progress is told."""
    if moved:
        endings.tell(job, CallbackEvent.IN_PROGRESS)
    if first_answer:
        lane = due.lane(job.service.provider_id)
        due.schedule(kind="poll", subject=job.pk, at=first_check(job), lane=lane)


def _take_handle(job: Job, status: RemoteStatus) -> bool:
    """Learn the provider's names for the job; True for its first answer."""
    if job.remote_handle or job.remote_id:
        return False
    job.remote_handle = status.handle
    job.remote_id = status.remote_id[:255]
    if job.remote_id:
        bills.job_dispatched(job.pk, job.remote_id)
    return True


def _take_result(job: Job, status: RemoteStatus) -> None:
    if status.state == RemoteState.SUCCEEDED:
        store_outputs(job, status.outputs)
    elif status.state == RemoteState.FAILED:
        job.error = status.error or status.message


def _take_times(job: Job, status: RemoteStatus) -> None:
    """When the provider wishes to be asked again, and until when it keeps the results.

    A provider that says nothing of the latter has its usual time.
    """
    job.next_poll_at = None
    if status.next_poll is not None:
        soonest, latest = now() + SOONEST_POLL, now() + LATEST_POLL
        job.next_poll_at = min(max(status.next_poll, soonest), latest)
    kept = job.service.provider.results_kept_days
    if status.expires_at is not None:
        job.results_expire_at = status.expires_at
    elif status.state == RemoteState.SUCCEEDED and kept:
        job.results_expire_at = now() + timedelta(days=kept)


def first_check(job: Job) -> datetime:
    """When to ask for the first time how a job is going on."""
    return job.next_poll_at or now() + timedelta(seconds=settings.POLL_SECONDS_FIRST)


def _take_progress(job: Job, status: RemoteStatus) -> bool:
    """Keep the provider's percent and message; True when either says something new."""
    said = (job.percent, job.message)
    if status.percent is not None and status.percent > (job.percent or 0):
        job.percent = min(status.percent, 100)
    if status.message:
        job.message = status.message
    return (job.percent, job.message) != said
