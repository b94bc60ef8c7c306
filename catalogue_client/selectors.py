"""Reading the catalogue: searches in pages, extents of collections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b

import orjson
from django.core.cache import cache
from django.db.models import Count, Max, Min, Q, TextField
from django.db.models.functions import Cast

from catalogue_client import places
from catalogue_client.access import Viewer, visible_collections, visible_items
from catalogue_client.change_list import version
from catalogue_client.filters import Node, Place, both
from catalogue_client.filters.tree import residual, superset
from catalogue_client.finder import Finder
from catalogue_client.geometry import Box
from catalogue_client.models import Collection, Item
from catalogue_client.order import Position, order_of, position_of, token_of

MOST = 1000
WORLD: Box = (-180.0, -90.0, 180.0, 90.0)
Extent = tuple[Box, datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; what is empty does not restrict.

    `start` and `end` bound a period that the item's own overlaps. `text` has words that must all be
    there. `sort` names queryables, each with whether it descends; newest first without one. `after`
    is the token of the page before. `limit` above MOST acts as MOST.
    """

    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    bbox: Box | None = None
    intersects: Place | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str = ""
    filter: Node | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int = 10
    after: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Items in order; `matched` is None when more fit than are counted; `after` is the token of the
    next page, "" on the last one."""

    items: list[Item]
    matched: int | None
    after: str


def search(user: Viewer, query: Search) -> Page:
    """One page of what the user may see. Raises InvalidInput for a token that is none."""
    order = order_of(query.sort)
    exact = both([query.filter, query.intersects])
    finder = Finder(
        items=visible_items(user),
        indexed=_restrictions(query, exact, indexed=True),
        plain=_restrictions(query, exact, indexed=False),
        judged=residual(exact) if exact else None,
        order=order,
        position=position_of(order, query.after) if query.after else None,
    )
    found = finder.page(min(query.limit, MOST))
    token = token_of(Position(found.last, found.matched)) if found.last else ""
    return Page(_read(user, found.keys), found.matched, token)


def collections(user: Viewer) -> list[Collection]:
    """The collections that the user may see, by identifier."""
    return list(visible_collections(user))


def counted_collections(user: Viewer) -> list[tuple[Collection, int]]:
    """Each collection with the number of its items that the user may see."""
    counts = dict(visible_items(user).order_by().values_list("collection").annotate(Count("pk")))
    return [(c, counts.get(c.pk, 0)) for c in collections(user)]


def extents(user: Viewer, among: Sequence[Collection]) -> dict[int, Extent]:
    """By collection: box and period of the items that the user may see.

    Nothing of an item that is hidden shows in them. An empty collection covers the world, always.
    They are remembered until any item, or what the user may see, changes.
    """
    at = blake2b(version(user).encode(), digest_size=16).hexdigest()
    keys = {f"catalogue.extent.{one.pk}.{at}": one for one in among}
    known: dict[str, Extent] = cache.get_many(keys)
    unknown = {one.pk: key for key, one in keys.items() if key not in known}
    made = _extents(user, [one for one in among if one.pk in unknown]) if unknown else {}
    cache.set_many({unknown[pk]: extent for pk, extent in made.items()}, timeout=3600)
    return {one.pk: known[key] if key in known else made[one.pk] for key, one in keys.items()}


def _extents(user: Viewer, among: Sequence[Collection]) -> dict[int, Extent]:
    items = visible_items(user).filter(collection__in=among).order_by()
    grouped = items.values("collection").annotate(
        w=Min("west"), s=Min("south"), e=Max("east"), n=Max("north"),
        crossing=Count("pk", filter=Q(crosses_antimeridian=True)),
        first=Min("start"), last=Max("end"),
    )  # fmt: skip
    found: dict[int, Extent] = {c.pk: (WORLD, None, None) for c in among}
    for row in grouped:
        west, east = (-180.0, 180.0) if row["crossing"] else (row["w"], row["e"])
        found[row["collection"]] = ((west, row["s"], east, row["n"]), row["first"], row["last"])
    return found


def next_page(query: Search, page: Page) -> Search | None:
    """The search of the page that follows; None after the last one."""
    return replace(query, after=page.after) if page.after else None


def _read(user: Viewer, keys: Sequence[int]) -> list[Item]:
    """The items in the order of their keys, without what documents do not show."""
    if not keys:
        return []
    found = visible_items(user).filter(pk__in=keys).select_related("collection")
    written = found.annotate(written=Cast("document", TextField())).order_by()
    by_key = {item.pk: item for item in written.defer("document", "words", "offerings")}
    for item in by_key.values():
        item.document = orjson.loads(item.written)  # half the time of the field's own reader
    return [by_key[key] for key in keys if key in by_key]


def _restrictions(query: Search, exact: Node | None, *, indexed: bool) -> Q:
    wanted = Q()
    if query.collections:
        wanted &= Q(collection__identifier__in=query.collections)
    if query.ids:
        wanted &= Q(identifier__in=query.ids)
    wanted &= _where_and_when(query, indexed=indexed)
    for word in query.text.lower().split():
        wanted &= Q(words__contains=word)
    if exact is not None:
        wanted &= superset(exact, indexed=indexed) or Q()
    return wanted


def _where_and_when(query: Search, *, indexed: bool) -> Q:
    wanted = Q()
    if query.bbox:
        wanted &= places.meets(query.bbox)
    if query.start:
        wanted &= Q(end__gte=query.start)
    if query.end:
        wanted &= Q(start__lte=query.end)
    if indexed:
        wanted &= places.near([query.bbox] if query.bbox else [], query.start, query.end)
    return wanted
