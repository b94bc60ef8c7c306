"""What has changed, in the order of the change sequence, with what is gone: for harvesters."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from catalogue_client.access import Viewer, departures, visible_collections, visible_items
from catalogue_client.models import ChangeCounter, Collection, Departure, Item
from people.access import is_operator
from people.models import User
from people.selectors import groups_of

_LARGE = ("document", "words", "offerings")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes: `since` and `before` bound their moments (the second exclusive)."""

    since: datetime | None = None
    before: datetime | None = None
    collection: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """The last change of an item as far as the viewer may know; `gone`: can no longer see it."""

    item: Item
    number: int
    at: datetime
    gone: bool


def changes(
    user: Viewer, wanted: Wanted, *, after: int = 0, limit: int, headers_only: bool = False
) -> list[Entry]:
    """The first changes with a number above `after`, each item once.

    `headers_only` leaves out the documents.
    """
    live, gone = _rows(user, wanted)
    live = live.filter(sequence__gt=after).select_related("collection").order_by("sequence")
    live = live.defer(*_LARGE) if headers_only else live
    left = gone.filter(sequence__gt=after).select_related("item__collection").order_by("sequence")
    left = left.defer(*(f"item__{name}" for name in _LARGE))
    merged = heapq.merge(
        (Entry(item, item.sequence, item.updated_at, gone=False) for item in live[:limit]),
        (Entry(row.item, row.sequence, row.at, gone=True) for row in left[:limit]),
        key=lambda entry: entry.number,
    )
    return list(islice(merged, limit))


def count(user: Viewer, wanted: Wanted, *, most: int) -> int:
    """How many there are; 0 if they are more than that."""
    live, gone = _rows(user, wanted)
    number = live.order_by()[: most + 1].count() + gone.order_by()[: most + 1].count()
    return number if number <= most else 0


def entry_for(user: Viewer, collection: str, identifier: str) -> Entry | None:
    """The entry of one item; None for what the viewer never could see."""
    found = {"collection__identifier": collection, "identifier": identifier}
    item = visible_items(user).select_related("collection").filter(**found).first()
    if item is not None:
        return Entry(item, item.sequence, item.updated_at, gone=False)
    rows = departures(user).select_related("item__collection")
    row = rows.filter(**{f"item__{name}": value for name, value in found.items()}).first()
    return Entry(row.item, row.sequence, row.at, gone=True) if row else None


def earliest(user: Viewer) -> datetime | None:
    """The moment before which nothing has changed that the viewer may know of."""
    first = changes(user, Wanted(), limit=1, headers_only=True)
    return first[0].at if first else None


def last_change(user: Viewer, collection: Collection) -> datetime:
    """When an item of the collection changed last, or went, as far as the viewer may know."""
    live, gone = _rows(user, Wanted(collection=collection.identifier))
    last = [
        live.order_by("-sequence").values_list("updated_at", flat=True).first(),
        gone.order_by("-sequence").values_list("at", flat=True).first(),
    ]
    return max((moment for moment in last if moment), default=collection.updated_at)


def state(user: Viewer, place: str = "") -> str:
    """A word that is another one when anything has changed that the viewer may see.

    It tells nothing of what is hidden: not even how often that changes. `place` is told apart.
    """
    live, gone = _rows(user, Wanted())
    newest = [
        rows.order_by("-sequence").values_list("sequence", flat=True).first()
        for rows in (live, gone)
    ]
    shelves = list(visible_collections(user).values_list("pk", "revision"))
    facts = [place, newest, shelves, *_standing(user)]
    return salted_hmac("catalogue.state", repr(facts)).hexdigest()[:32]


def version(user: Viewer) -> str:
    """The same, cheaper, for what stays within the portal: it is another word whenever any item has
    changed, or what the user's rights follow from."""
    counter = ChangeCounter.objects.filter(name="items").values_list("value", "changed_at").first()
    return repr([counter, *_standing(user)])


def _standing(user: Viewer) -> Iterator[Any]:
    """What the user's rights follow from."""
    if isinstance(user, User):
        yield user.pk
        yield is_operator(user)
        yield sorted(groups_of(user).values_list("pk", flat=True))


def _rows(user: Viewer, wanted: Wanted) -> tuple[QuerySet[Item], QuerySet[Departure]]:
    live, gone = visible_items(user), departures(user)
    if wanted.since:
        live, gone = live.filter(updated_at__gte=wanted.since), gone.filter(at__gte=wanted.since)
    if wanted.before:
        live, gone = live.filter(updated_at__lt=wanted.before), gone.filter(at__lt=wanted.before)
    if wanted.collection:
        live = live.filter(collection__identifier=wanted.collection)
        gone = gone.filter(item__collection__identifier=wanted.collection)
    return live, gone
