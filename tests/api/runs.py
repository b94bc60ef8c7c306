"""Jobs under way and at their end, as the worker would have brought them there."""

from __future__ import annotations

import uuid

from django.db import transaction

from jobs.lifecycle import submit
from jobs.models import Job
from jobs.states import State
from jobs.transitions import apply, lock, move
from providers.ports import RemoteState, RemoteStatus
from providers.process import InputValue, OutputValue
from tests.factories import World


def take_in_hand(job_id: uuid.UUID | str) -> None:
    """What the worker does before a provider's answer is written."""
    move(lock(job_id), State.SUBMITTING, actor="worker")  # type: ignore[arg-type]


def finish(job_id: uuid.UUID | str, *values: InputValue) -> None:
    """The provider says that it is done, with these results."""
    outputs = tuple(OutputValue(value) for value in values)
    done = RemoteStatus(RemoteState.SUCCEEDED, "test", "done", outputs=outputs)
    apply(uuid.UUID(str(job_id)), done, actor="worker")


@transaction.atomic
def finished_job(world: World) -> Job:
    """A job of the researcher that the group's account pays; its usage is not reported yet."""
    job = submit(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(),
        account=world.account,
        door="rest",
    )
    take_in_hand(job.pk)
    apply(job.pk, RemoteStatus(RemoteState.RUNNING, "t", "w", remote_id="r1"), actor="worker")
    finish(job.pk)
    return job
