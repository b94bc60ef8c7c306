"""Records that a centre sends by itself, by the same rules as those that are read."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from catalogue_client.harvesting.storing import Fault, note, remove, store
from catalogue_client.models import (
    HarvestRun,
    HarvestSource,
    HarvestState,
    RunMode,
    RunState,
)
from catalogue_client.sources.records import Entries
from common.clock import now
from common.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many were added, changed and known as they are, and why the others were not taken."""

    added: int
    updated: int
    unchanged: int
    errors: tuple[Fault, ...]


@transaction.atomic
def take(source: HarvestSource, entries: Entries) -> Outcome:
    """Take records in; safe to repeat: the same record again changes nothing. Raises Conflict."""
    run = _run_of_today(source)
    before = run.added, run.changed, run.unchanged
    faults = [*entries.bad, *store(run, entries.records)]
    for fault in entries.bad:
        note(run, *fault)
    run.seen += len(entries.bad)
    run.save()
    after = run.added, run.changed, run.unchanged
    added, updated, unchanged = (late - early for early, late in zip(before, after, strict=True))
    return Outcome(added, updated, unchanged, tuple(faults))


@transaction.atomic
def withdraw(source: HarvestSource, identifier: str, collection: str | None = None) -> None:
    """Take one record out of the catalogue; safe to repeat.

    Raises NotFound for what was never there, Conflict when several collections have that id.
    """
    run = _run_of_today(source)
    rows = source.records.filter(origin_id=identifier)
    if collection is not None:
        rows = rows.filter(origin_collection=collection)
    found = list(rows[:2])
    if not found:
        raise NotFound(_("There is no such record."))
    if len(found) > 1:
        raise Conflict(_("Records of several collections have this id: say which collection."))
    run.removed += remove(row for row in found if row.removed_at is None)
    run.save()


def _run_of_today(source: HarvestSource) -> HarvestRun:
    """The run that counts what comes on this day (UTC), with the lock of the source."""
    source = (
        HarvestSource.objects.select_for_update(of=("self",))
        .select_related("collection", "owner")
        .get(pk=source.pk)
    )
    if source.state != HarvestState.ACTIVE:
        raise Conflict(_("This source takes no records at present."))
    moment = now()
    since = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    runs = source.runs.filter(mode=RunMode.PUSH, started_at__gte=since)
    run = runs.first() or HarvestRun(
        source=source, mode=RunMode.PUSH, state=RunState.DONE, started_at=moment
    )
    run.source, run.ended_at = source, moment
    run.save()
    return run
