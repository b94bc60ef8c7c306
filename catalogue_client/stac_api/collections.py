"""/stac/collections: one, all, or those that fit words, a box and a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse

from catalogue_client import selectors
from catalogue_client.access import collection_for
from catalogue_client.doors import base_of, door, hashed
from catalogue_client.geometry import Box
from catalogue_client.models import Collection
from catalogue_client.selectors import MOST, Extent
from catalogue_client.stac import JSON, collection_document
from catalogue_client.stac_api.parameters import box, limit, number, period, text
from people.models import User

DEFAULT_LIMIT = 100


@door("GET")
def collections(request: HttpRequest, user: User | None, /) -> HttpResponse:
    """The collections that the caller may see and that fit, by identifier, in pages."""
    base = base_of(request)
    root, here = f"{base}/stac/", f"{base}/stac/collections"
    size = min(limit(request.GET.get("limit") or DEFAULT_LIMIT), MOST)
    after = text(request.GET.get("token", ""), "token")
    found, extents = _fitting(user, request)
    rest = [one for one in found if one.identifier > after]
    page = rest[:size]
    links = [
        {"rel": "self", "type": JSON, "href": here},
        {"rel": "root", "type": JSON, "href": root},
    ]
    if len(rest) > size:
        parameters = request.GET.copy()
        parameters["token"] = page[-1].identifier
        links.append({"rel": "next", "type": JSON, "href": f"{here}?{parameters.urlencode()}"})
    return hashed(
        request,
        {
            "collections": [collection_document(c, extents[c.pk], base) for c in page],
            "links": links,
            "numberMatched": len(found),
            "numberReturned": len(page),
        },
    )


@door("GET")
def collection(request: HttpRequest, user: User | None, /, *, identifier: str) -> HttpResponse:
    """One collection."""
    found = collection_for(user, identifier)
    extent = selectors.extents(user, [found])[found.pk]
    return hashed(request, collection_document(found, extent, base_of(request)))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A search for collections. Of the phrases between commas one must be there."""

    phrases: tuple[str, ...]
    box: Box | None
    start: datetime | None
    end: datetime | None

    def speaks_of(self, found: Collection) -> bool:
        words = [found.identifier, found.title, found.description, *map(str, found.keywords)]
        whole = "\n".join(words).lower()
        return not self.phrases or any(phrase in whole for phrase in self.phrases)

    def meets(self, extent: Extent) -> bool:
        place, first, last = extent
        late = self.start is not None and last is not None and last < self.start
        early = self.end is not None and first is not None and first > self.end
        return not late and not early and (self.box is None or overlap(self.box, place))


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes meet; either may cross the antimeridian."""
    if one[1] > other[3] or other[1] > one[3]:
        return False
    return any(a[0] <= b[1] and b[0] <= a[1] for a in _spans(one) for b in _spans(other))


def _spans(place: Box) -> list[tuple[float, float]]:
    west, _, east, _ = place
    return [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]


def _fitting(
    user: User | None, request: HttpRequest
) -> tuple[Sequence[Collection], dict[int, Extent]]:
    asked = request.GET
    corners = asked.get("bbox")
    start, end = period(asked.get("datetime") or None)
    wanted = _Wanted(
        tuple(part.strip().lower() for part in text(asked.get("q", ""), "q").split(",") if part),
        box([number(part) for part in corners.split(",")]) if corners else None,
        start,
        end,
    )
    named = [one for one in selectors.collections(user) if wanted.speaks_of(one)]
    extents = selectors.extents(user, named)
    return [one for one in named if wanted.meets(extents[one.pk])], extents
