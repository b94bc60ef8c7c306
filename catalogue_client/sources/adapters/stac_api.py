"""STAC API 1.0 (and its release candidates): core, collections, item search and its extensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson
from django.utils.translation import gettext as _

from catalogue_client.sources import ports
from catalogue_client.sources.adapters.conditions import cql2_of
from catalogue_client.sources.adapters.linked import (
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
from common.errors import ProviderNonsense, ProviderRefused

GEOJSON = "application/geo+json, application/json"
_ALWAYS = frozenset({ports.BBOX, ports.GEOMETRY, ports.TIME, ports.COLLECTIONS, ports.IDS})


class StacApi:
    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """`facts`: the addresses `search` and `data`; `post`, whether it takes POST."""
        visit = Visit(endpoint)
        landing, base = visit.json(endpoint.url)
        conforms = landing.get("conformsTo")
        classes = [c for c in conforms if isinstance(c, str)] if isinstance(conforms, list) else []
        search = link_to(visit, landing, base, "search")
        if "stac_version" not in landing or not search:
            raise ProviderNonsense(_("The server is no STAC API with a search."))
        posts = any(
            link.get("rel") == "search" and str(link.get("method", "")).upper() == "POST"
            for link in landing.get("links", ())
            if isinstance(link, dict)
        )
        abilities = set(_ALWAYS)
        if _has(classes, "item-search#sort"):
            abilities.add(ports.SORT)
        if _has(classes, "item-search#free-text"):
            abilities.add(ports.TEXT)
        if posts and _has(classes, "item-search#filter") and _has(classes, "cql2-json"):
            abilities |= {ports.FILTERS, ports.CQL2, ports.CHANGED}
        data = link_to(visit, landing, base, "data")
        title = str(landing.get("title") or landing.get("id") or "")
        facts = {"search": search, "post": posts, "data": data}
        return Capabilities(
            title, frozenset(abilities), str(landing.get("description") or ""), facts
        )

    def collections(self, endpoint: Endpoint) -> list[CollectionInfo]:
        data = endpoint.facts.get("data")
        return listed(Visit(endpoint), data, "collections") if data else []

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        visit = Visit(endpoint)
        able = _able(endpoint, query)
        body = _question(endpoint, query, able)
        if query.cursor is not None:
            answer, base = open_cursor(visit, query.cursor, GEOJSON)
        elif endpoint.facts.get("post"):
            answer, base = visit.json(str(endpoint.facts["search"]), body=body, accept=GEOJSON)
        else:
            url = with_parameters(str(endpoint.facts["search"]), _in_address(body))
            answer, base = visit.json(url, accept=GEOJSON)
        features = answer.get("features")
        if not isinstance(features, list):
            raise ProviderNonsense(_("The catalogue's answer is no list of items."))
        read = read_all(features, lambda one: record_of(one, base))
        cursor, more = cursor_of(visit, answer, base, query.cursor, sent=body, ids=read.names)
        matched = answer.get("numberMatched", _context(answer).get("matched"))
        return Page(
            read.records,
            frozenset(able & query.asked()),
            cursor,
            matched if isinstance(matched, int) else None,
            (*read.warnings, *more),
            read.bad,
            cut=read.cut or bool(more),
        )

    def get(self, endpoint: Endpoint, collection: str, identifier: str) -> Record | None:
        data = endpoint.facts.get("data")
        if not data or not collection:
            page = self.search(endpoint, Query(ids=(identifier,), limit=1))
            return next((one for one in page.records if one.id == identifier), None)
        place = f"{str(data).rstrip('/')}/{quote(collection, safe='')}/items"
        try:
            found, base = Visit(endpoint).json(f"{place}/{quote(identifier, safe='')}")
            return record_of(found, base, collection=collection)
        except NoRecordError:
            return None
        except ProviderRefused as error:
            if error.data.get("http_status") in (404, 410):
                return None
            raise


def _has(classes: list[str], end: str) -> bool:
    return any(one.endswith(end) for one in classes)


def _able(endpoint: Endpoint, query: Query) -> frozenset[str]:
    """What this server applies of this search: several words, and a box beside a geometry, are not
    in the standard's words."""
    able = _ALWAYS | frozenset(endpoint.facts.get("abilities", ()))
    if query.geometry:
        able -= {ports.BBOX}
    return able if len(query.text.split()) < 2 else able - {ports.TEXT}  # noqa: PLR2004


def _question(endpoint: Endpoint, query: Query, able: frozenset[str]) -> dict[str, Any]:
    """The search as it is posted."""
    body: dict[str, Any] = {"limit": query.limit}
    if query.bbox and not query.geometry:
        body["bbox"] = list(query.bbox)
    if query.geometry:
        body["intersects"] = query.geometry
    if query.start or query.end:
        ends = (query.start, query.end)
        body["datetime"] = "/".join(instant_text(end) if end else ".." for end in ends)
    body |= {n: list(v) for n, v in (("collections", query.collections), ("ids", query.ids)) if v}
    if query.sort and ports.SORT in able:
        body["sortby"] = [_order(query.sort)]
    if query.text and ports.TEXT in endpoint.facts.get("abilities", ()):
        body["q"] = [narrowest(query.text)]
    since = query.since if ports.CHANGED in able else None
    filters = query.filters if ports.FILTERS in able else ()
    if filters or since:
        body |= {"filter": cql2_of(filters, since), "filter-lang": "cql2-json"}
    return body


def _order(sort: str) -> dict[str, str]:
    name, down = sort.lstrip("-"), sort.startswith("-")
    field = name if name in ("id", "collection") else f"properties.{name}"
    return {"field": field, "direction": "desc" if down else "asc"}


def _in_address(body: Mapping[str, Any]) -> dict[str, str]:
    """The search as parameters of a GET."""
    found = {}
    for name, value in body.items():
        if name == "intersects":
            found[name] = orjson.dumps(value).decode()
        elif name == "sortby":
            found[name] = ",".join(
                ("-" if one["direction"] == "desc" else "+") + one["field"] for one in value
            )
        elif isinstance(value, list):
            found[name] = ",".join(str(one) for one in value)
        else:
            found[name] = str(value)
    return found


def _context(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    context = answer.get("context")
    return context if isinstance(context, dict) else {}
