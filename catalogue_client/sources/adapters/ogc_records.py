"""OGC API – Records: catalogues of records in collections, searched one collection at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _

from catalogue_client.sources import ports
from catalogue_client.sources.adapters.linked import (
    continued,
    cursor_of,
    link_to,
    listed,
    narrowest,
    open_cursor,
)
from catalogue_client.sources.ports import (
    Capabilities,
    CollectionInfo,
    Endpoint,
    Page,
    Query,
    Record,
)
from catalogue_client.sources.records import NoRecordError, read_all, record_of
from catalogue_client.sources.visit import Visit, with_parameters
from catalogue_client.stac import instant_text
from common.errors import ProviderError, ProviderNonsense, ProviderRefused

GEOJSON = "application/geo+json, application/json"
_DONE = frozenset({ports.BBOX, ports.TIME, ports.COLLECTIONS})
_DATA = frozenset({"enclosure", "item", "data", "download"})
_PICTURES = frozenset({"preview", "icon", "thumbnail"})
_DATA_LINKS = 100


class OgcRecords:
    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """`facts`: `data`, the address of the collections; `records`, which are of records."""
        visit = Visit(endpoint)
        landing, base = visit.json(with_parameters(endpoint.url, {"f": "json"}))
        data = link_to(visit, landing, base, "data") or link_to(
            visit, landing, base, "http://www.opengis.net/def/rel/ogc/1.0/data"
        )
        if not data:
            raise ProviderNonsense(_("The server is no OGC API with collections."))
        document, _base = visit.json(data)
        entries = document.get("collections")
        inside = [
            str(one["id"])
            for one in (entries if isinstance(entries, list) else [])
            if isinstance(one, dict) and _of_records(one) and one.get("id")
        ]
        if not inside:
            raise ProviderNonsense(_("The server has no collection of records."))
        facts = {"data": data, "records": inside[:200]}
        abilities = _DONE | {ports.TEXT, ports.COUNT}
        if _filters(visit, landing, base):
            abilities |= {ports.CHANGED}
        title, text = str(landing.get("title") or ""), str(landing.get("description") or "")
        return Capabilities(title, abilities, text, facts)

    def collections(self, endpoint: Endpoint) -> list[CollectionInfo]:
        inside = set(endpoint.facts["records"])
        every = listed(Visit(endpoint), str(endpoint.facts["data"]), "collections")
        return [one for one in every if one.identifier in inside]

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        """Through the collections one after the other: a page is of one of them."""
        visit = Visit(endpoint)
        known = [str(one) for one in endpoint.facts["records"]]
        wanted = [one for one in known if not query.collections or one in query.collections]
        done = set(_DONE)
        if len(query.text.split()) == 1:
            done.add(ports.TEXT)
        if query.since and ports.CHANGED in endpoint.facts.get("abilities", ()):
            done.add(ports.CHANGED)
        at = int((query.cursor or {}).get("at", 0))
        if at >= len(wanted):
            return Page([], frozenset(done), None, 0)
        if query.cursor is not None and "href" in query.cursor:
            answer, base = open_cursor(visit, query.cursor, GEOJSON)
        else:
            url = with_parameters(self._items(endpoint, wanted[at]), _parameters(query, done))
            answer, base = visit.json(url, accept=GEOJSON)
        features = answer.get("features")
        if not isinstance(features, list):
            raise ProviderNonsense(_("The catalogue's answer is no list of records."))
        read = read_all(features, lambda one: _record(one, base, wanted[at]))
        cursor, more = cursor_of(visit, answer, base, query.cursor, sent={}, ids=read.names)
        cut = read.cut or bool(more)
        if cursor is not None:
            cursor = {**cursor, "at": at}
        elif at + 1 < len(wanted):
            cursor, onward = continued({"at": at + 1}, query.cursor, [*read.names, wanted[at]])
            more, cut = [*more, *onward], cut or bool(onward)
        matched = answer.get("numberMatched")
        alone = len(wanted) == 1 and isinstance(matched, int)
        return Page(
            read.records, frozenset(done), cursor, matched if alone else None,
            (*read.warnings, *more), read.bad, cut=cut,
        )  # fmt: skip

    def get(self, endpoint: Endpoint, collection: str, identifier: str) -> Record | None:
        if collection not in endpoint.facts["records"]:
            return None
        place = f"{self._items(endpoint, collection)}/{quote(identifier, safe='')}"
        try:
            found, base = Visit(endpoint).json(place, accept=GEOJSON)
            return _record(found, base, collection)
        except NoRecordError:
            return None
        except ProviderRefused as error:
            if error.data.get("http_status") in (404, 410):
                return None
            raise

    @staticmethod
    def _items(endpoint: Endpoint, collection: str) -> str:
        data = str(endpoint.facts["data"]).partition("?")[0].rstrip("/")
        return f"{data}/{quote(collection, safe='')}/items"


def _of_records(collection: Mapping[str, Any]) -> bool:
    """Whether it says so, or links to items and does not say what they are."""
    return "record" in str(collection.get("itemType", "")).lower()


def _parameters(query: Query, done: Collection[str]) -> dict[str, str]:
    found = {"limit": str(query.limit), "f": "json"}
    if query.bbox:
        found["bbox"] = ",".join(f"{number:.7g}" for number in query.bbox)
    if query.start or query.end:
        ends = (query.start, query.end)
        found["datetime"] = "/".join(instant_text(end) if end else ".." for end in ends)
    if query.text:
        found["q"] = narrowest(query.text)
    if query.since and ports.CHANGED in done:
        found["filter"] = f"updated >= TIMESTAMP('{instant_text(query.since)}')"
        found["filter-lang"] = "cql2-text"
    return found


def _filters(visit: Visit, landing: Mapping[str, Any], base: str) -> bool:
    """Whether the server says that it takes filters in CQL2 text."""
    try:
        address = link_to(visit, landing, base, "conformance") or link_to(
            visit, landing, base, "http://www.opengis.net/def/rel/ogc/1.0/conformance"
        )
        document = visit.json(with_parameters(address, {"f": "json"}))[0] if address else landing
    except ProviderError:
        return False
    conforms = document.get("conformsTo")
    classes = [str(one) for one in conforms] if isinstance(conforms, list) else []
    ends = ("/conf/cql2-text", "/conf/filter")
    return all(any(one.endswith(end) for one in classes) for end in ends)


def _record(feature: object, base: str, collection: str) -> Record:
    """A record in the words of STAC: its period, and its links to data as assets."""
    if not isinstance(feature, Mapping):
        raise NoRecordError("it is no object")
    properties = feature.get("properties")
    properties = dict(properties) if isinstance(properties, Mapping) else {}
    time = feature.get("time", properties.pop("time", None))
    if isinstance(time, Mapping):
        time = time.get("interval") or time.get("timestamp") or time.get("date")
    if isinstance(time, list):
        time = "/".join(str(end) for end in time[:2])
    if isinstance(time, str) and time:
        properties["date"] = time
    links = feature.get("links")
    linked = [one for one in links if isinstance(one, Mapping)] if isinstance(links, list) else []
    assets = dict(feature.get("assets") or {}) if isinstance(feature.get("assets"), dict) else {}
    for number, link in enumerate(linked[:_DATA_LINKS]):
        rel = str(link.get("rel", ""))
        roles = ["data"] if rel in _DATA else ["thumbnail"] if rel in _PICTURES else []
        if roles:
            asset = {"href": link.get("href"), "roles": roles}
            asset |= {k: link[k] for k in ("type", "title") if isinstance(link.get(k), str)}
            assets.setdefault(f"{rel}-{number}", asset)
    whole = {**feature, "properties": properties, "links": linked, "assets": assets}
    return record_of({**whole, "collection": collection}, base)
