"""Records into the catalogue and out of it, whoever brought them; counted on the run.

The caller holds the lock of the source's row: two never write records of one source at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from catalogue_client import services
from catalogue_client.harvesting.documents import Incoming, incoming, key_of, other_name
from catalogue_client.models import (
    HarvestedItem,
    HarvestFault,
    HarvestRun,
    HarvestSource,
    Item,
    RunMode,
    RunState,
    Visibility,
)
from catalogue_client.sources.ports import Record
from common.clock import now
from common.errors import Conflict, InvalidInput

MOST_FAULTS = 200  # that are kept of a run; the others are only counted


Fault = tuple[str, str]  # a record's name there, and what is wrong with it


def store(run: HarvestRun, records: Sequence[Record]) -> list[Fault]:
    """Add and change what is new; what cannot be taken in is noted, passed over, and returned."""
    source, seen = run.source, _full_run(run)
    faults: list[Fault] = []
    ready: dict[str, Incoming] = {}
    for record in records:
        try:
            one = incoming(source, record)
        except InvalidInput as error:
            where = f"{error.locator}: " if error.locator else ""
            faults.append((record.id, f"{where}{error.detail}"))
            # It is there, whatever is wrong with it: what is known of it stays.
            _see(source, [key_of(record.collection, record.id)], seen)
            continue
        ready[one.key] = one
    known = {
        row.key: row
        for row in HarvestedItem.objects.filter(source=source, key__in=ready)
        .select_for_update(of=("self",))
        .defer("item__document", "item__words")
        .select_related("item")
    }
    run.seen += len(records)
    same = [
        key
        for key, row in known.items()
        if row.content_hash == ready[key].hash and row.removed_at is None
    ]
    run.unchanged += len(same)
    for key, one in ready.items():
        if key in same:
            continue
        try:
            with transaction.atomic():
                _put(run, known.get(key), one, seen)
        except (InvalidInput, Conflict) as error:
            faults.append((one.id, error.detail))
            same.append(key)
    _see(source, same, seen)
    for fault in faults:
        note(run, *fault)
    return faults


def remove(rows: Iterable[HarvestedItem]) -> int:
    """Take items out of the catalogue; tombstones stay, and the records come back if they do."""
    removed = 0
    for row in rows:
        services.withdraw_item(item=services.locked_item(row.item_id))
        row.removed_at = now()
        row.save(update_fields=("removed_at",))
        removed += 1
    return removed


def note(run: HarvestRun, record: str, reason: str) -> None:
    """A record that could not be taken in. The run is saved by the caller."""
    run.bad += 1
    if run.bad <= MOST_FAULTS:
        said = record.replace("\0", "\ufffd")[:500] or "?"
        HarvestFault.objects.create(run=run, record=said, reason=reason[:500])


def _put(run: HarvestRun, row: HarvestedItem | None, one: Incoming, seen: int) -> None:
    source = run.source
    item = services.put_item(
        collection=source.collection,
        document={**one.document, "id": row.item.identifier if row else _free_name(source, one)},
        owner=source.owner,
        # Who sees the collection sees them.
        visibility=Visibility.PUBLIC,
        fresh=row is None,
    )
    values = {
        "content_hash": one.hash,
        "datestamp": one.datestamp,
        "removed_at": None,
        "full_run": seen or (row.full_run if row else 0),
    }
    if row is None:
        HarvestedItem.objects.create(
            source=source, item=item, key=one.key, origin_collection=one.collection,
            origin_id=one.id, **values,
        )  # fmt: skip
        run.added += 1
        return
    back = row.removed_at is not None
    HarvestedItem.objects.filter(pk=row.pk).update(**values)
    run.added += back
    run.changed += not back


def _free_name(source: HarvestSource, one: Incoming) -> str:
    """The name of a new item: never that of an item which is not this record's. Raises Conflict."""
    wanted = str(one.document["id"])
    names = [wanted, *(other_name(one.id, f"{source.pk} {one.collection} {n}") for n in range(3))]
    inside = Item.objects.filter(collection=source.collection, identifier__in=names)
    taken = set(inside.values_list("identifier", flat=True))
    for name in names:
        if name not in taken:
            return name
    raise Conflict("Every name for this record is taken by other entries.")


def _see(source: HarvestSource, keys: Sequence[str], seen: int) -> None:
    """The full pass has come by them."""
    if seen and keys:
        HarvestedItem.objects.filter(source=source, key__in=keys).update(full_run=seen)


def _full_run(run: HarvestRun) -> int:
    """The full pass under way, which must not miss what comes in meanwhile; 0: there is none."""
    if run.mode == RunMode.FULL:
        return run.pk
    states = (RunState.RUNNING, RunState.REMOVING, RunState.HELD)
    under_way = HarvestRun.objects.filter(source=run.source_id, mode=RunMode.FULL, state__in=states)
    return under_way.values_list("pk", flat=True).first() or 0
