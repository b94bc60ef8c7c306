"""The portal's own catalogue, in process, behind the same contract as those of others."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from catalogue_client import selectors
from catalogue_client.access import Viewer, item_for, visible_collections
from catalogue_client.filters import Place, from_json
from catalogue_client.models import Item
from catalogue_client.places import shape_of
from catalogue_client.sources import ports
from catalogue_client.sources.adapters.conditions import cql2_of
from catalogue_client.sources.ports import (
    Capabilities,
    CollectionInfo,
    Endpoint,
    Page,
    Query,
    Record,
)
from catalogue_client.stac import item_document
from common.errors import NotFound

_DONE = frozenset(
    {
        *(ports.TEXT, ports.BBOX, ports.GEOMETRY, ports.TIME, ports.COLLECTIONS, ports.IDS),
        *(ports.FILTERS, ports.SORT),
    }
)


@dataclass(frozen=True, slots=True)
class Embedded:
    """What one viewer may see of it; the endpoint says nothing."""

    viewer: Viewer

    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        del endpoint
        return Capabilities(_("This portal"), _DONE | {ports.COUNT})

    def collections(self, endpoint: Endpoint) -> list[CollectionInfo]:
        del endpoint
        every = visible_collections(self.viewer)
        return [CollectionInfo(c.identifier, c.title, c.description) for c in every]

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        del endpoint
        place = Place("intersects", shape_of(query.geometry)) if query.geometry else None
        found = selectors.search(
            self.viewer,
            selectors.Search(
                collections=query.collections,
                ids=query.ids,
                bbox=query.bbox,
                intersects=place,
                start=query.start,
                end=query.end,
                text=query.text,
                filter=from_json(cql2_of(query.filters)) if query.filters else None,
                sort=((query.sort.lstrip("-"), query.sort.startswith("-")),) if query.sort else (),
                limit=query.limit,
                after=str((query.cursor or {}).get("after", "")),
            ),
        )
        records = [record_of_item(item) for item in found.items]
        cursor = {"after": found.after} if found.after else None
        return Page(records, _DONE, cursor, found.matched)

    def get(self, endpoint: Endpoint, collection: str, identifier: str) -> Record | None:
        del endpoint
        try:
            return record_of_item(item_for(self.viewer, collection, identifier))
        except NotFound:
            return None


def record_of_item(item: Item, base: str = "") -> Record:
    """The portal's item as any other record; `base` if the portal is known by another address."""
    document = item_document(item, base or settings.BASE_URL)
    return Record(item.identifier, item.collection.identifier, document)
