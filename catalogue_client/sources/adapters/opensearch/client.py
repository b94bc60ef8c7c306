"""Searching by a description: what its template has parameters for, the catalogue applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from catalogue_client.sources import ports
from catalogue_client.sources.adapters.linked import Cursor, continued, narrowest
from catalogue_client.sources.adapters.opensearch import two_steps
from catalogue_client.sources.adapters.opensearch.answers import Answer, read_answer
from catalogue_client.sources.adapters.opensearch.description import Template
from catalogue_client.sources.adapters.opensearch.two_steps import DESCRIPTION, templates_of
from catalogue_client.sources.adapters.opensearch.wkt import wkt
from catalogue_client.sources.ports import (
    Capabilities,
    CollectionInfo,
    Condition,
    Endpoint,
    Page,
    Query,
    Record,
)
from catalogue_client.sources.visit import Visit
from catalogue_client.stac import instant_text
from common.errors import PortalError, ProviderNonsense
from common.xml import local_name, text_of

# STAC's names of properties → the parameters of the EO extension.
_EO = {
    "platform": "eo:platform",
    "instruments": "eo:instrument",
    "eo:cloud_cover": "eo:cloudCover",
    "eo:snow_cover": "eo:snowCover",
    "sat:orbit_state": "eo:orbitDirection",
    "sat:absolute_orbit": "eo:orbitNumber",
    "sat:relative_orbit": "eo:track",
    "sar:instrument_mode": "eo:sensorMode",
    "product:type": "eo:productType",
    "processing:level": "eo:processingLevel",
}


# Parameters for the moment of the last change; those of the EO extension take ranges.
_CHANGED = ("terms:modified", "eo:modificationDate")


class OpenSearch:
    def capabilities(self, endpoint: Endpoint) -> Capabilities:
        """`facts`: the template that is used, and the one of collections if there is any."""
        visit = Visit(endpoint)
        root, base = visit.xml(endpoint.url, accept=DESCRIPTION)
        facts = templates_of(root, visit, base)
        if not facts:
            raise ProviderNonsense(
                _("The description has no template at this server with answers in Atom or GeoJSON.")
            )
        names = {local_name(one): text_of(one) for one in root}
        title = names.get("LongName") or names.get("ShortName") or ""
        template = two_steps.sample(replace(endpoint, facts=facts))
        abilities = _abilities(template.names) | {ports.COUNT}
        if "collections" in facts:
            abilities |= {ports.COLLECTIONS}
        return Capabilities(title, abilities, names.get("Description", ""), facts)

    def collections(self, endpoint: Endpoint) -> list[CollectionInfo]:
        return [shelf.info for shelf in two_steps.shelves(endpoint).values()]

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        if two_steps.is_needed(endpoint.facts, query.collections):
            return two_steps.search(endpoint, query, self.search)
        template = Template(**endpoint.facts["results"])
        names, visit = template.names, Visit(endpoint)
        values, done = _values(query, names)
        before = query.cursor
        position = int((before or {}).get("index", 1))
        values |= {
            "count": str(query.limit),
            "startIndex": str(position - 1 + template.first_index),
            "startPage": str((position - 1) // query.limit + template.first_page),
        }
        url = str(before["href"]) if before and "href" in before else template.filled(values)
        answer = self._answer(visit, url, template)
        cursor, more = _onward(visit, answer, before, position, names)
        read = answer.read
        warnings = (*read.warnings, *more)
        cut = read.cut or bool(more)
        return Page(read.records, done, cursor, answer.matched, warnings, read.bad, cut=cut)

    def get(self, endpoint: Endpoint, collection: str, identifier: str) -> Record | None:
        """By its id where the template has a parameter for one, else by searching for it."""
        stepped = two_steps.is_needed(endpoint.facts, (collection,))
        inside = two_steps.inner(endpoint, collection) if stepped else endpoint
        if inside is None:
            return None
        names = Template(**inside.facts["results"]).names
        query = Query(text=identifier, limit=20)
        if "geo:uid" in names:
            query = Query(ids=(identifier,), limit=1)
        elif "searchTerms" not in names:
            raise ProviderNonsense(_("This catalogue cannot give a single entry."))
        for one in self.search(inside, query).records:
            if one.id == identifier and (stepped or one.collection == collection):
                return replace(one, collection=collection)
        return None

    @staticmethod
    def _answer(visit: Visit, url: str, template: Template) -> Answer:
        answer = visit.raw(url, accept=template.media_type)
        return read_answer(answer.body, answer.headers.get("content-type", ""), answer.url)


def _abilities(names: frozenset[str]) -> frozenset[str]:
    needs = {
        ports.TEXT: {"searchTerms"}, ports.BBOX: {"geo:box"}, ports.GEOMETRY: {"geo:geometry"},
        ports.TIME: {"time:start", "time:end"}, ports.IDS: {"geo:uid"},
        ports.COLLECTIONS: {"eo:parentIdentifier"},
    }  # fmt: skip
    found = {ability for ability, needed in needs.items() if needed <= names}
    found |= {ports.CHANGED} if names & set(_CHANGED) else set()
    return frozenset(found | ({ports.FILTERS} if names & set(_EO.values()) else set()))


def _values(query: Query, names: frozenset[str]) -> tuple[dict[str, str], frozenset[str]]:
    """The parameters that the template has for a search, and what they do of it."""
    eo = _conditions(query.filters)
    shape = wkt(query.geometry) if query.geometry else ""
    values = {
        "searchTerms": narrowest(query.text),
        "geo:box": ",".join(f"{number:.7g}" for number in query.bbox or ()),
        "geo:geometry": shape,
        "time:start": instant_text(query.start) if query.start else "",
        "time:end": instant_text(query.end) if query.end else "",
        "eo:parentIdentifier": query.collections[0] if len(query.collections) == 1 else "",
        "geo:uid": query.ids[0] if len(query.ids) == 1 else "",
        **eo,
    }
    if query.since:
        since = instant_text(query.since)
        plain, ranged = _CHANGED
        values |= {plain: since} if plain in names else {ranged: f"[{since}"}
    partly = {
        ports.TEXT: len(query.text.split()) > 1,
        ports.GEOMETRY: not shape,
        ports.COLLECTIONS: len(query.collections) > 1,
        ports.IDS: len(query.ids) > 1,
        ports.FILTERS: len(eo) < len(query.filters) or not set(eo) <= names,
    }
    done = (_abilities(names) & query.asked()) - {one for one, only in partly.items() if only}
    return {name: value for name, value in values.items() if value}, frozenset(done)


def _conditions(filters: Iterable[Condition]) -> dict[str, str]:
    """EO parameters: a value, or a range open at one end."""
    found: dict[str, str] = {}
    for one in filters:
        name = _EO.get(one.name)
        if name and name not in found:
            text = f"{one.value:g}" if isinstance(one.value, float) else str(one.value)
            found[name] = {"=": text, "<=": f"{text}]", ">=": f"[{text}"}[one.operator]
    return found


def _onward(
    visit: Visit, answer: Answer, before: Cursor | None, position: int, names: frozenset[str]
) -> tuple[Cursor | None, list[str]]:
    ids = answer.read.names
    if not ids:
        return None, []
    following = position + answer.received
    cursor: Mapping[str, Any]
    if answer.next:
        try:
            cursor = {"href": visit.own(answer.base, answer.next), "index": following}
        except PortalError as error:
            return None, [error.detail]
    elif answer.matched is None or following > answer.matched:
        return None, []
    elif not names & {"startIndex", "startPage"}:
        return None, [_("The catalogue cannot continue after its first page.")]
    else:
        cursor = {"index": following}
    return continued(dict(cursor), before, ids)
