"""The portal's own copies of results: made by policy or on request, kept until they are removed."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import (
    AddressRefused,
    Conflict,
    NotFound,
    PortalError,
    ProviderError,
    ProviderRefused,
    ServerBusy,
    TooLarge,
)
from jobs import copy_files, due
from jobs.fetching import Fetching
from jobs.models import Due, Job, JobOutput
from jobs.outputs import file_name
from jobs.transitions import lock, note
from people.models import User
from providers.models import CopyPolicy

log = structlog.get_logger(__name__)

TRIES = 10


@transaction.atomic
def ask(*, actor: User, output: JobOutput) -> None:
    """Have a copy made; the caller has checked that the actor manages the job.

    Raises Conflict when the provider's results are not copied, TooLarge when the owner's copies
    take all the room there is for them. What is copied, or being copied, stays so.
    """
    job = lock(output.job_id)
    output = JobOutput.objects.select_for_update(of=("self",), no_key=True).get(pk=output.pk)
    if output.copy or output.kind != "reference":
        return
    if job.service.provider.copy_results == CopyPolicy.NEVER:
        raise Conflict(_("Results of this provider are not copied."))
    if output.gone_at is not None:
        raise Conflict(_("The provider no longer keeps this result."))
    output.job = job
    _check_room(output, output.size or 0)
    JobOutput.objects.filter(pk=output.pk).update(copy_error="")
    due.schedule(kind="copy", subject=output.pk, lane=due.lane(job.service.provider_id))
    note(job, actor=f"user:{actor.pk}", reason="copy_asked", text=output.identifier)


@transaction.atomic
def remove(*, actor: User, output: JobOutput) -> None:
    """Delete the copy; the caller has checked that the actor manages the job.

    What the provider still has can be had from there.
    """
    job = lock(output.job_id)
    output = JobOutput.objects.select_for_update(of=("self",), no_key=True).get(pk=output.pk)
    if not output.copy:
        return
    name = str(output.copy.name)
    JobOutput.objects.filter(pk=output.pk).update(copy="", copied_at=None)
    note(job, actor=f"user:{actor.pk}", reason="copy_removed", text=output.identifier)
    transaction.on_commit(lambda: copy_files.remove(name))


def copy(row: Due) -> datetime | None:
    """The step of the due work `copy`: fetch one output and put it into the storage.

    Repeated after a kill it goes on where it was, if the provider gives parts.
    """
    found = JobOutput.objects.select_related("job__service__provider").filter(pk=row.subject)
    output = found.first()
    if output is None or output.copy or output.kind != "reference":
        return None
    fetching = Fetching(output, alive=lambda: due.renew(row))
    try:
        _check_room(output, output.size or 0)
        size, sha256 = fetching.fetch(most=_room(output))
        _keep(output, fetching.path, size, sha256)
    except (NotFound, TooLarge, AddressRefused, ProviderRefused) as error:
        return _give_up(output, fetching, error)
    except ServerBusy:  # another process of this machine is still at it
        return now() + timedelta(seconds=30)
    except ProviderError as error:
        if row.attempts >= TRIES:
            return _give_up(output, fetching, error)
        wait = min(3600, 15 * 2.0 ** min(row.attempts, 10)) * random.uniform(0.8, 1.2)  # noqa: S311
        return now() + timedelta(seconds=wait)
    fetching.forget()
    log.info("copy.made", job_id=str(output.job_id), number=output.number, bytes=size)
    return None


def _keep(output: JobOutput, path: Path, size: int, sha256: str) -> None:
    """Raises TooLarge when what was copied meanwhile has taken the owner's room."""
    name = copy_files.put(output, path, file_name(output))
    try:
        with transaction.atomic():
            job = lock(output.job_id)
            # One after the other: what two see at the same moment is room for one.
            User.objects.select_for_update(no_key=True).get(pk=job.owner_id)
            _check_room(output, size)
            JobOutput.objects.filter(pk=output.pk).update(
                copy=name, copied_at=now(), copy_error="", size=size, sha256=sha256
            )
            note(job, actor="worker", reason="copied", text=output.identifier)
    except TooLarge:
        copy_files.remove(name)
        raise


@transaction.atomic
def _give_up(output: JobOutput, fetching: Fetching, error: PortalError) -> None:
    fetching.forget()
    job = lock(output.job_id)
    JobOutput.objects.filter(pk=output.pk).update(copy_error=error.detail[:300])
    text = f"{output.identifier}: {error.detail}"
    note(job, actor="worker", reason="not_copied", text=text)


def _room(output: JobOutput) -> int:
    """How many bytes the copy of this output may have."""
    mine = JobOutput.objects.filter(job__owner=_owner(output)).exclude(copy="")
    taken = mine.exclude(copy=None).aggregate(n=Sum("size"))["n"] or 0
    return int(min(settings.COPY_MOST_BYTES, max(0, settings.COPY_MOST_BYTES_OF_USER - taken)))


def _check_room(output: JobOutput, size: int) -> None:
    room = _room(output)
    if size > room or not room:
        text = _("There is room for %(room)s of copies left; this result is larger.")
        raise TooLarge(text % {"room": filesizeformat(room)})


def _owner(output: JobOutput) -> int:
    job: Job = output.job
    return job.owner_id
