"""STAC 1.1 items: made from a job's record, checked on the way in, completed on the way out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.utils.dateparse import parse_datetime

from catalogue_client import geometry as geo
from catalogue_client.geometry import Box
from catalogue_client.members import odd_members
from catalogue_client.models import Collection, Item, Visibility
from common.errors import InvalidInput

VERSION = "1.1.0"
GEOJSON = "application/geo+json"
JSON = "application/json"
QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,100}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_ROOM = 50  # levels around an item in what can be answered, of some 250 that can be written
# Links that follow from where an item is; never stored.
DERIVED_LINKS = frozenset({"self", "root", "parent", "collection", "items", "canonical"})


def extension(name: str, version: str) -> str:
    """The schema address by which STAC names an extension."""
    return f"https://stac-extensions.github.io/{name}/v{version}/schema.json"


WEB_MAP_LINKS = extension("web-map-links", "1.2.0")


def instant_text(moment: datetime) -> str:
    """RFC 3339 in UTC, with as many decimals as the moment has."""
    text = moment.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"


def instant(text: object, *, locator: str) -> datetime:
    """The moment of an RFC 3339 text with a time and a zone. Raises InvalidInput."""
    value = None
    if isinstance(text, str) and _INSTANT.fullmatch(text):
        try:
            value = parse_datetime(text.upper())
        except ValueError:
            value = None
    if value is None or value.tzinfo is None:
        raise InvalidInput(
            f"“{str(text)[:60]}” is not a date and time with zone, such as 2026-03-02T10:15:00Z.",
            locator=locator,
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidInput("The date is out of range.", locator=locator) from None


# --- on the way in -------------------------------------------------------------------------


def checked_item(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the catalogue stores of an item document. Raises InvalidInput naming the member.

    The box is computed from the geometry when it is missing; derived links are dropped.
    """
    identifier = document.get("id")
    if not isinstance(identifier, str) or not IDENTIFIER.fullmatch(identifier):
        raise InvalidInput("An id is letters, digits, dots, dashes, underscores.", locator="id")
    shape = geo.checked(document.get("geometry"))
    given = document.get("bbox")
    box = geo.checked_box(given) if isinstance(given, list) and given else geo.box_of(shape)
    if box is None:
        raise InvalidInput("The geometry is empty.", locator="geometry")
    properties = _checked_object(document, "properties")
    stamped = stamps_of(properties)
    assets = _checked_object(document, "assets")
    for key, asset in assets.items():
        if not isinstance(asset, dict) or not _usable(asset.get("href")):
            raise InvalidInput(f"The asset {key} has no usable href.", locator="assets")
    extensions = document.get("stac_extensions", [])
    if not isinstance(extensions, list) or not all(isinstance(e, str) for e in extensions):
        raise InvalidInput("stac_extensions is a list of addresses.", locator="stac_extensions")
    links = _checked_links(document.get("links", []))
    for odd in odd_members(properties, links, assets):
        text = f"“{odd.name}” in {odd.place} is not of the kind that STAC says."
        raise InvalidInput(text, locator=odd.place)
    stored = {
        "id": identifier,
        "stac_extensions": extensions,
        "geometry": shape,
        "bbox": list(box),
        "properties": {**properties, **stamped},
        "links": links,
        "assets": assets,
    }
    return _as_json(stored)


def checked_collection(document: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a collection from its STAC members. Raises InvalidInput naming the member."""
    identifier = document.get("id")
    if not isinstance(identifier, str) or not IDENTIFIER.fullmatch(identifier):
        raise InvalidInput("An id is letters, digits, dots, dashes, underscores.", locator="id")
    title = str(document.get("title") or identifier)
    columns: dict[str, Any] = {
        "identifier": identifier,
        "title": title[:200],
        "description": str(document.get("description") or title),
        "license": str(document.get("license") or "other"),
        "links": _checked_links(document.get("links", [])),
    }
    kinds: dict[str, type] = {"keywords": list, "providers": list, "summaries": dict}
    for name, kind in kinds.items():
        columns[name] = document.get(name, kind())
        if not isinstance(columns[name], kind):
            raise InvalidInput(f"“{name}” is not of the kind that STAC says.", locator=name)
    return columns


def times(properties: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Start and end of an item: its interval, or its instant twice. Raises InvalidInput."""
    if any(properties.get(name) is not None for name in ("start_datetime", "end_datetime")):
        start = instant(properties.get("start_datetime"), locator="start_datetime")
        end = instant(properties.get("end_datetime"), locator="end_datetime")
    else:
        start = end = instant(properties.get("datetime"), locator="datetime")
    if end < start:
        raise InvalidInput("The end is before the start.", locator="end_datetime")
    return start, end


def stamps_of(properties: Mapping[str, Any]) -> dict[str, str | None]:
    """The dates of an item as they are stored: in UTC, an interval of no length as its instant.

    An interval keeps the instant that was named within it. Raises InvalidInput.
    """
    start, end = times(properties)
    if start == end:
        return {"datetime": instant_text(start)}
    named = properties.get("datetime")
    return {
        "datetime": None if named is None else instant_text(instant(named, locator="datetime")),
        "start_datetime": instant_text(start),
        "end_datetime": instant_text(end),
    }


def words_of(properties: Mapping[str, Any]) -> str:
    """The lower-case text in which a search looks for words."""
    values: list[object] = [
        properties.get(k) for k in ("title", "description", "tep:process", "tep:app")
    ]
    keywords = properties.get("keywords")
    values += keywords if isinstance(keywords, list) else []
    values += [p.get("name") for p in properties.get("providers") or [] if isinstance(p, dict)]
    return " ".join(str(value) for value in values if value).lower()


def _as_json(stored: dict[str, Any]) -> dict[str, Any]:
    """The document as every database keeps it: no number out of range, no NaN, no character NUL,
    and no deeper than leaves room for the lists in which it is answered."""
    room: Any = stored
    for _level in range(_ROOM):
        room = [room]
    try:
        written = orjson.dumps(room)[_ROOM:-_ROOM]
    except TypeError:
        raise InvalidInput("Something in it is too deep or cannot be written as JSON.") from None
    if _NUL.search(written):
        raise InvalidInput("A text in it holds the character NUL.")
    kept: dict[str, Any] = orjson.loads(written)
    return kept


def _checked_object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise InvalidInput(f"“{name}” must be an object.", locator=name)
    return value


def _checked_links(links: object) -> list[dict[str, Any]]:
    if not isinstance(links, list) or not all(isinstance(link, dict) for link in links):
        raise InvalidInput("“links” must be a list of objects.", locator="links")
    for link in links:
        if not isinstance(link.get("rel"), str):
            raise InvalidInput("A link needs a rel.", locator="links")
    kept = [link for link in links if link["rel"] not in DERIVED_LINKS]
    if not all(_usable(link.get("href")) for link in kept):
        raise InvalidInput("A link needs a usable href.", locator="links")
    return kept


def _usable(href: object) -> bool:
    """An address of the portal (a path) or a web address: never a script or a local file."""
    if not isinstance(href, str):
        return False
    return bool(re.match(r"https?://[^/]", href)) or (href.startswith("/") and href[1:2] != "/")


# --- on the way out ------------------------------------------------------------------------


def item_document(item: Item, base: str) -> dict[str, Any]:
    """The item as STAC says it; `base` is the portal's address without a trailing slash."""
    collection = collection_href(item.collection.identifier, base)
    here = f"{collection}/items/{item.identifier}"
    contexts = f"{base}/owc/items/{item.collection.identifier}/{item.identifier}"
    derived = [
        _link("self", here, GEOJSON),
        _link("root", f"{base}/stac/", JSON),
        _link("parent", collection, JSON, item.collection.title),
        _link("collection", collection, JSON, item.collection.title),
        _link("alternate", f"{contexts}.atom", "application/atom+xml", "OWS Context"),
        _link("alternate", f"{contexts}.geojson", GEOJSON, "OWS Context"),
    ]
    stored = item.document
    added = [link for one in item.attached.values() for link in one["links"]]
    maps = any(link["rel"] in ("wms", "wmts") for link in added)
    stamps = {"created": instant_text(item.created_at), "updated": instant_text(item.updated_at)}
    return {
        "type": "Feature",
        "stac_version": VERSION,
        "stac_extensions": stored["stac_extensions"] + ([WEB_MAP_LINKS] if maps else []),
        "id": item.identifier,
        "collection": item.collection.identifier,
        "geometry": stored["geometry"],
        "bbox": stored["bbox"],
        "properties": {**stored["properties"], **stamps},
        "links": derived + [complete(link, base) for link in (*stored["links"], *added)],
        "assets": {key: complete(asset, base) for key, asset in stored["assets"].items()},
    }


def collection_document(
    collection: Collection, extent: tuple[Box, datetime | None, datetime | None], base: str
) -> dict[str, Any]:
    """The collection as STAC says it, with the extent of what the viewer may see."""
    here = collection_href(collection.identifier, base)
    box, start, end = extent
    interval = [instant_text(moment) if moment else None for moment in (start, end)]
    document: dict[str, Any] = {
        "type": "Collection",
        "stac_version": VERSION,
        "id": collection.identifier,
        "title": collection.title,
        "description": collection.description,
        "license": collection.license,
        "extent": {"spatial": {"bbox": [list(box)]}, "temporal": {"interval": [interval]}},
        "links": [
            _link("self", here, JSON),
            _link("root", f"{base}/stac/", JSON),
            _link("parent", f"{base}/stac/", JSON),
            _link("items", f"{here}/items", GEOJSON),
            _link(QUERYABLES, f"{here}/queryables", "application/schema+json"),
            *(complete(link, base) for link in collection.links),
        ],
    }
    optional = {name: getattr(collection, name) for name in ("keywords", "providers", "summaries")}
    return document | {name: value for name, value in optional.items() if value}


def collection_href(identifier: str, base: str) -> str:
    """Where a collection is."""
    return f"{base}/stac/collections/{identifier}"


def complete(linked: Mapping[str, Any], base: str) -> dict[str, Any]:
    """A link or an asset with the portal's address in front of a path."""
    return {**linked, "href": absolute(linked["href"], base)}


def absolute(href: str, base: str) -> str:
    """The address with the portal's own in front, if it is a path."""
    return f"{base}{href}" if href.startswith("/") else href


def _link(rel: str, href: str, media_type: str, title: str = "") -> dict[str, str]:
    link = {"rel": rel, "href": href, "type": media_type}
    return link | {"title": title} if title else link


def checked_visibility(visibility: str, *, owner: object, group: object) -> None:
    """Whether those three go together. Raises InvalidInput."""
    if visibility not in Visibility.values:
        raise InvalidInput("Visibility is private, group or public.", locator="visibility")
    if visibility == Visibility.GROUP and group is None:
        raise InvalidInput("Which group may see it?", locator="group")
    if visibility == Visibility.PRIVATE and owner is None:
        raise InvalidInput("Something private needs an owner.", locator="owner")
