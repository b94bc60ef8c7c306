"""What a crawl has read, searched here, behind the same contract."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from catalogue_client.geometry import Box
from catalogue_client.models import CachedRecord
from catalogue_client.sources import ports
from catalogue_client.sources.adapters.static_stac import title_of_static
from catalogue_client.sources.ports import (
    Capabilities,
    CollectionInfo,
    Endpoint,
    Page,
    Query,
    Record,
)

_DONE = frozenset({ports.TEXT, ports.BBOX, ports.TIME, ports.COLLECTIONS, ports.IDS})


class Crawled:
    """A source that is crawled; `facts["source"]` is its key."""

    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        title, description = title_of_static(endpoint)
        return Capabilities(title, _DONE | {ports.COUNT}, description)

    def collections(self, endpoint: Endpoint) -> list[CollectionInfo]:
        names = _of(endpoint).exclude(collection="").order_by("collection")
        every = names.values_list("collection", flat=True).distinct()
        return [CollectionInfo(name, name) for name in every[:2000]]

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        found = _of(endpoint).filter(_restrictions(query))
        place = int((query.cursor or {}).get("after", 0))
        rows = list(
            found.order_by(F("start").desc(nulls_last=True), "-pk")[place : place + query.limit + 1]
        )
        more = len(rows) > query.limit
        records = [_record(row) for row in rows[: query.limit]]
        cursor = {"after": place + query.limit} if more else None
        return Page(records, _DONE, cursor, found.count())

    def get(self, endpoint: Endpoint, collection: str, identifier: str) -> Record | None:
        row = _of(endpoint).filter(collection=collection, identifier=identifier).first()
        return _record(row) if row else None


def _of(endpoint: Endpoint) -> QuerySet[CachedRecord]:
    return CachedRecord.objects.filter(source=endpoint.facts["source"])


def _record(row: CachedRecord) -> Record:
    return Record(row.identifier, row.collection, row.document)


def _restrictions(query: Query) -> Q:
    wanted = Q()
    if query.collections:
        wanted &= Q(collection__in=query.collections)
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
    """Records whose box meets this one; a record across the antimeridian has west > east."""
    west, south, east, north = box
    if west > east:
        return _touches((west, south, 180.0, north)) | _touches((-180.0, south, east, north))
    left, right = Q(west__lte=east), Q(east__gte=west)
    crossing = Q(west__gt=F("east")) & (left | right)
    plain = Q(west__lte=F("east")) & left & right
    return Q(south__lte=north, north__gte=south) & (plain | crossing)
