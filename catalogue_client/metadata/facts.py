"""What every metadata standard wants to know of an item, in no standard's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from catalogue_client.geometry import Box
from catalogue_client.models import Item
from catalogue_client.stac import absolute, collection_href

PORTAL = "TEP Portal"
GEOJSON = "application/geo+json"
ATOM = "application/atom+xml"
_PARTS = 3
_SERVICES = ("wms", "wmts", "wfs", "wcs", "wps", "csw")


@dataclass(frozen=True, slots=True)
class Link:
    """An address with its kind: "download", "preview", "page", "stac", "owc", or a service's
    name ("wms")."""

    kind: str
    href: str
    title: str = ""
    media_type: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """An item as metadata; `identifier` is its name in the whole world."""

    identifier: str
    collection: str
    title: str
    abstract: str
    keywords: tuple[str, ...]
    creator: str
    license: str
    lineage: str
    start: datetime
    end: datetime
    bbox: Box
    created: datetime
    modified: datetime
    links: tuple[Link, ...]
    sources: tuple[str, ...]


def namespace() -> str:
    """What makes the identifiers of this portal's records different from those of others."""
    return urlsplit(settings.BASE_URL).hostname or "tep-portal"


def record_id(item: Item) -> str:
    """The item's name in the whole world; the same through every door, for ever."""
    return f"{namespace()}:{item.collection.identifier}:{item.identifier}"


def place_of(identifier: str) -> tuple[str, str] | None:
    """The collection and the item that such a name means; None when it is none of this portal."""
    parts = identifier.rsplit(":", 2)
    if len(parts) != _PARTS or parts[0] != namespace():
        return None
    return parts[1], parts[2]


def facts_of(item: Item, base: str) -> Facts:
    """The item's metadata; addresses of the portal begin with `base`."""
    properties = item.properties
    title = item.title or item.identifier
    return Facts(
        identifier=record_id(item),
        collection=item.collection.identifier,
        title=title,
        abstract=str(properties.get("description") or title),
        keywords=_texts(properties.get("keywords")),
        creator=_creator(properties),
        license=str(properties.get("license") or item.collection.license),
        lineage=str(properties.get("processing:lineage") or ""),
        start=item.start,
        end=item.end,
        bbox=item.bbox,
        created=item.created_at,
        modified=item.updated_at,
        links=tuple(_links(item, base)),
        sources=tuple(
            absolute(link["href"], base)
            for link in item.document["links"]
            if link["rel"] == "derived_from"
        ),
    )


def page_of(item: Item, base: str) -> str:
    """The item's page for people."""
    return f"{base}/catalogue/{item.collection.identifier}/{item.identifier}/"


def _links(item: Item, base: str) -> Iterator[Link]:
    collection, identifier = item.collection.identifier, item.identifier
    contexts = f"{base}/owc/items/{collection}/{identifier}"
    yield Link("page", page_of(item, base), item.title, "text/html")
    for key, asset in item.document["assets"].items():
        roles = set(asset.get("roles") or ())
        yield Link(
            "preview" if roles & {"thumbnail", "overview"} else "download",
            absolute(asset["href"], base),
            str(asset.get("title") or key),
            str(asset.get("type") or ""),
            asset.get("file:size"),
        )
    yield from _services(item, base)
    stac = f"{collection_href(collection, base)}/items/{identifier}"
    yield Link("stac", stac, "STAC item", GEOJSON)
    yield Link("owc", f"{contexts}.atom", "OWS Context", ATOM)


def _services(item: Item, base: str) -> Iterator[Link]:
    """Where the item can be drawn or made again."""
    for link in item.document["links"]:
        if link["rel"] in _SERVICES:
            title = str(link.get("title") or link["rel"].upper())
            yield Link(link["rel"], absolute(link["href"], base), title, str(link.get("type", "")))
    for offering in item.offerings:
        kind = str(offering.get("code", "")).rpartition("/")[2]
        operations = offering.get("operations") or ()
        if kind in _SERVICES and operations:
            yield Link(kind, absolute(operations[0]["href"], base), kind.upper(), "text/xml")


def _creator(properties: Mapping[str, Any]) -> str:
    """Who made it: a centre, never a person."""
    for provider in properties.get("providers") or ():
        if isinstance(provider, dict) and provider.get("name"):
            return str(provider["name"])
    return PORTAL


def _texts(values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values if value) if isinstance(values, list) else ()
