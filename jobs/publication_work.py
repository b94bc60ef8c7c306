"""Results at catalogues elsewhere: what a job's owner asks for, and the work that follows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from catalogue_client.models import Item, Publication, PublicationState, PublishTarget
from catalogue_client.publishing import publications
from catalogue_client.services import show_to
from common.errors import Conflict, InvalidInput
from jobs import due
from jobs.models import Due, Job
from jobs.transitions import lock, note
from people.selectors import groups_of

if TYPE_CHECKING:
    from people.models import User

KIND = "publication"
MOST_AT_ONCE = 500
ACTIONS = ("publish", "withdraw", "retry")


def schedule(rows: Iterable[Publication]) -> None:
    """Have it done; in the transaction that wanted it. One lane for each target."""
    for row in rows:
        due.schedule(kind=KIND, subject=row.pk, lane=f"target:{row.target_id}")


def step(row: Due) -> datetime | None:
    """The step of the due work `publication`."""
    return publications.work(row.subject)


def refresh(moment: datetime) -> None:
    """Bring up to date what changed in the catalogue since it was published elsewhere."""
    del moment
    items = Item.objects.filter(pk__in=publications.stale().values("item"))[:MOST_AT_ONCE]
    for item in items:
        with transaction.atomic():
            schedule(publications.plan(item))


@transaction.atomic
def act(*, actor: User, job: Job, target_id: int, action: str) -> None:
    """Publish a result at a target, withdraw it there, or try again.

    The caller has checked that the actor manages the job. Raises InvalidInput, NotFound, Conflict.
    """
    if action not in ACTIONS:
        raise InvalidInput(_("There is no such action."), locator="action")
    job = lock(job.pk)
    item = entry_of(job)
    if action == "publish":
        row = publications.ask(actor=actor, item=item, target_id=target_id)
    elif action == "withdraw":
        row = publications.withdraw(actor=actor, item=item, target_id=target_id)
    else:
        row = publications.retry(item=item, target_id=target_id)
    schedule([row])
    note(job, actor=f"user:{actor.pk}", reason=f"target_{action}", text=row.target.name)


@transaction.atomic
def show(*, actor: User, job: Job, visibility: str, group: str = "") -> None:
    """Let others see the job's entry in the catalogue (`group`: slug of one of the actor's).

    The caller has checked that the actor manages the job. Raises InvalidInput, Conflict.
    """
    job = lock(job.pk)
    named = groups_of(actor).filter(slug=group).first() if group else None
    item = show_to(item=entry_of(job), visibility=visibility, group=named)
    schedule(publications.plan(item))
    note(job, actor=f"user:{actor.pk}", reason="entry_shown", text=visibility)


@transaction.atomic
def retry_failed(target: PublishTarget) -> None:
    """Try again what failed at a target; the caller has checked who asks."""
    failed = Publication.objects.filter(target=target, state=PublicationState.FAILED)
    for row in failed.select_related("item")[:MOST_AT_ONCE]:
        schedule([publications.retry(item=row.item, target_id=target.pk)])


def entry_of(job: Job) -> Item:
    """The job's item. Raises Conflict when it has none."""
    item = Item.objects.filter(job_id=job.pk, deleted_at=None).first()
    if item is None:
        raise Conflict(_("This job has no catalogue entry."))
    return item
