"""The way of a job as four steps with their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from jobs.models import Job, JobEvent
from jobs.states import SUCCESSFUL, State


@dataclass(frozen=True, slots=True)
class Step:
    """`look` is done, now, failed or empty for what is to come."""

    label: str
    look: str
    at: datetime | None


def steps_of(job: Job, events: Sequence[JobEvent]) -> list[Step]:
    """Submitted, accepted by the provider, running, ended."""
    first: dict[str, datetime] = {}
    for event in events:
        first.setdefault(event.new_state, event.at)
    running = first.get(State.IN_PRODUCTION)
    accepted = first.get(State.ACCEPTED) or running
    reached = [job.created_at, accepted, running, job.finished_at if job.final else None]
    if job.state in SUCCESSFUL:
        # A quick answer leaves steps out; they happened all the same.
        reached[1] = reached[1] or job.finished_at
        reached[2] = reached[2] or job.finished_at
    labels = (_("Submitted"), _("Accepted"), _("Running"), _ending(job))
    last = max(n for n, at in enumerate(reached) if at is not None)
    return [
        Step(label, _look(job, n, at, last), at)
        for n, (label, at) in enumerate(zip(labels, reached, strict=True))
    ]


def _ending(job: Job) -> str:
    return str(State(job.state).label).capitalize() if job.final else _("Finished")


def _look(job: Job, number: int, at: datetime | None, last: int) -> str:
    if job.final and number == last and job.state not in SUCCESSFUL:
        return "failed"
    if number == last and not job.final:
        return "now"
    return "done" if at is not None else ""
