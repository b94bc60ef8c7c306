"""Looks at jobs that found nothing new: what is left to write of many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from common.bulk import update_rows
from jobs import due
from jobs.models import Due, Job


@dataclass(frozen=True, slots=True)
class Look:
    """When a job was looked at, when the provider wishes it to be looked at again, and when it will
    be (`at`)."""

    job_id: UUID
    checked_at: datetime
    next_poll_at: datetime | None
    at: datetime


@transaction.atomic
def write(looks: Sequence[tuple[Due, Look]]) -> None:
    """Write them, and when each row is due again.

    May be late or lost: the lease runs out, and it is looked again. A job that somebody changes at
    this moment is left to them.
    """
    seen = {look.job_id: look for _row, look in looks}
    free = Job.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__among=list(seen))
    found = [seen[pk] for pk in free.order_by().values_list("pk", flat=True)]
    update_rows(
        Job,
        ("id", "checked_at", "next_poll_at"),
        [(one.job_id, one.checked_at, one.next_poll_at) for one in found],
    )
    due.again_many([(row, look.at) for row, look in looks])
