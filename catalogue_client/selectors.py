"""Reading the catalogue: searches in pages, extents of collections."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count, Max, Min, Q

from catalogue_client.access import Viewer, visible_collections, visible_items
from catalogue_client.geometry import Box
from catalogue_client.models import Collection, Item
from catalogue_client.stac import instant, instant_text
from common.errors import InvalidInput

MOST = 1000
WORLD: Box = (-180.0, -90.0, 180.0, 90.0)
Extent = tuple[Box, datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; what is empty does not restrict.

    `start` and `end` bound a period that the item's own overlaps. `after` is the token of the page
    before. `limit` above MOST acts as MOST.
    """

    collections: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    bbox: Box | None = None
    start: datetime | None = None
    end: datetime | None = None
    text: str = ""
    limit: int = 10
    after: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Items, newest first; `after` is the token of the next page, "" on the last one."""

    items: list[Item]
    matched: int
    after: str


def search(user: Viewer, query: Search) -> Page:
    """One page of what the user may see. Raises InvalidInput for a token that is none."""
    found = visible_items(user).filter(_restrictions(query))
    limit = min(query.limit, MOST)
    page = found.filter(_behind(query.after)) if query.after else found
    items = list(page.select_related("collection").order_by("-start", "-id")[: limit + 1])
    after = _token(items[limit - 1]) if len(items) > limit else ""
    return Page(items[:limit], found.count(), after)


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
    """
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


def _restrictions(query: Search) -> Q:
    wanted = Q()
    if query.collections:
        wanted &= Q(collection__identifier__in=query.collections)
    if query.ids:
        wanted &= Q(identifier__in=query.ids)
    if query.start:
        wanted &= Q(end__gte=query.start)
    if query.end:
        wanted &= Q(start__lte=query.end)
    if query.bbox:
        wanted &= _touches(query.bbox)
    for word in query.text.lower().split():
        wanted &= Q(words__contains=word)
    return wanted


def _touches(box: Box) -> Q:
    """Items whose box meets this one; either may cross the antimeridian."""
    west, south, east, north = box
    if west > east:
        return _touches((west, south, 180.0, north)) | _touches((-180.0, south, east, north))
    left, right = Q(west__lte=east), Q(east__gte=west)
    plain = Q(crosses_antimeridian=False) & left & right
    crossing = Q(crosses_antimeridian=True) & (left | right)
    return Q(south__lte=north, north__gte=south) & (plain | crossing)


def _token(item: Item) -> str:
    text = f"{instant_text(item.start)} {item.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _behind(token: str) -> Q:
    """What comes after the item that the token names, in the order of the pages."""
    try:
        padded = token.encode() + b"=" * (-len(token) % 4)
        text, _, key = base64.urlsafe_b64decode(padded).decode().partition(" ")
        start, pk = instant(text, locator="token"), int(key)
    except (binascii.Error, ValueError, UnicodeError, InvalidInput):
        raise InvalidInput("This is no token of this catalogue.", locator="token") from None
    if not 0 <= pk < 2**63:
        raise InvalidInput("This is no token of this catalogue.", locator="token")
    return Q(start__lt=start) | Q(start=start, pk__lt=pk)
