"""The change sequence: one number for every change, and what became of those who could see it.

Whoever takes a number keeps the other writers waiting until the transaction ends, so numbers and
moments become visible in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Max, Min

from catalogue_client.access import EVERYBODY, audiences
from catalogue_client.models import ChangeCounter, Collection, Departure, Item
from common.clock import now

_ITEMS = "items"
_BATCH = 1000


class Change(NamedTuple):
    """One change: its number, and its moment, which is not before that of an earlier number."""

    number: int
    at: datetime


def next_change(*, numbers: int = 1) -> Change:
    """The next number of the sequence; the first one, if the change needs several."""
    rows = ChangeCounter.objects.select_for_update()
    counter = rows.filter(name=_ITEMS).first() or rows.get_or_create(name=_ITEMS)[0]
    first = counter.value + 1
    # Looked at after the row is ours: what waited for it longer is not older than what it has.
    moment = now()
    counter.changed_at = max(moment, counter.changed_at or moment)
    counter.value += numbers
    counter.save()
    return Change(first, counter.changed_at)


def settled() -> datetime:
    """A moment for which all changes up to it are visible to what is read after this call.

    The present, unless a change is just being written: then the moment of the change before.
    """
    moment = now()
    counters = ChangeCounter.objects.filter(name=_ITEMS)
    with transaction.atomic():
        if counters.select_for_update(skip_locked=True).first() is not None:
            return moment
    last = counters.first()
    return moment if last is None or last.changed_at is None else last.changed_at


def note_departures(item: Item, before: frozenset[str], change: Change) -> None:
    """Remember who saw the item before the change and does not any more."""
    after = audiences(item, item.collection)
    if before == after:
        return
    gone = Departure.objects.filter(item=item)
    (gone if EVERYBODY in after else gone.filter(audience__in=after)).delete()
    _remember(_departures(item, before, after, change))


@transaction.atomic
def renumber(before: Collection, after: Collection) -> None:
    """Every item of a collection takes a new number, in the same order, as its records have changed
    with it; who sees them no longer is told."""
    items = Item.objects.filter(collection=after, deleted_at=None)
    span = items.aggregate(first=Min("sequence"), last=Max("sequence"))
    if span["first"] is None:
        return
    change = next_change(numbers=span["last"] - span["first"] + 1)
    moved = change.number - span["first"]
    items.update(sequence=F("sequence") + moved, updated_at=change.at, revision=F("revision") + 1)
    left: list[Departure] = []
    for item in items.defer("document", "words", "offerings").iterator(chunk_size=_BATCH):
        seen, sees = audiences(item, before), audiences(item, after)
        if seen == sees:
            continue
        left += _departures(item, seen, sees, Change(item.sequence, change.at))
        if len(left) >= _BATCH:
            _remember(left)
            left = []
    _remember(left)
    _forget_returned(after)


def _departures(
    item: Item, before: frozenset[str], after: frozenset[str], change: Change
) -> list[Departure]:
    left = () if EVERYBODY in after else sorted(before - after)
    return [
        Departure(item=item, audience=audience, sequence=change.number, at=change.at)
        for audience in left
    ]


def _remember(departures: Iterable[Departure]) -> None:
    Departure.objects.bulk_create(
        departures,
        update_conflicts=True,
        unique_fields=["item", "audience"],
        update_fields=["sequence", "at"],
    )


def _forget_returned(collection: Collection) -> None:
    """Departures from a collection of those who see the item again."""
    back = []
    rows = Departure.objects.filter(item__collection=collection, item__deleted_at=None)
    for row in rows.select_related("item").defer("item__document", "item__words").iterator():
        sees = audiences(row.item, collection)
        if EVERYBODY in sees or row.audience in sees:
            back.append(row.pk)
    for start in range(0, len(back), _BATCH):
        Departure.objects.filter(pk__in=back[start : start + _BATCH]).delete()
