"""What a catalogue cannot do is done here, on the page that it sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from shapely import GEOSException
from shapely.geometry import shape

from catalogue_client.geometry import Box
from catalogue_client.owc import dates
from catalogue_client.sources import ports
from catalogue_client.sources.ports import Condition, Page, Query, Record
from catalogue_client.sources.records import period_of


def completed(page: Page, query: Query) -> Page:
    """The page with what was asked and not done by the catalogue; a warning says what that was."""
    left = query.asked() - page.done
    if not left:
        return page
    records = [one for one in page.records if all(_TESTS[a](one, query) for a in left & _FILTERS)]
    warnings = list(page.warnings)
    names = ", ".join(sorted(_named(ability) for ability in left & _FILTERS))
    if names:
        warnings.append(
            _(
                "The catalogue cannot restrict its answer by %(what)s: the portal did so on each "
                "page, which may therefore be short."
            )
            % {"what": names}
        )
    if ports.SORT in left:
        records = _sorted(records, query.sort)
        warnings.append(_("The catalogue cannot sort: only each page is sorted in itself."))
    matched = None if left & _FILTERS else page.matched
    return replace(page, records=records, warnings=tuple(warnings), matched=matched)


def boxes_meet(one: Box, other: Box) -> bool:
    """Whether two boxes share a point; either may cross the antimeridian."""
    if one[3] < other[1] or other[3] < one[1]:
        return False
    return any(a[0] <= b[1] and b[0] <= a[1] for a in _longitudes(one) for b in _longitudes(other))


def _longitudes(box: Box) -> list[tuple[float, float]]:
    west, _s, east, _n = box
    return [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]


def _has_words(record: Record, query: Query) -> bool:
    properties = record.document["properties"]
    keywords = properties.get("keywords")
    parts = [record.id, record.collection, properties.get("title"), properties.get("description")]
    parts += keywords if isinstance(keywords, list) else []
    text = " ".join(str(part) for part in parts if part).lower()
    return all(word in text for word in query.text.lower().split())


def _in_box(record: Record, query: Query) -> bool:
    box = record.bbox
    return box is not None and query.bbox is not None and boxes_meet(box, query.bbox)


def _intersects(record: Record, query: Query) -> bool:
    geometry = record.document["geometry"]
    if geometry is None or query.geometry is None:
        return False
    try:
        return bool(shape(geometry).intersects(shape(query.geometry)))
    except (GEOSException, ValueError):  # a ring that crosses itself
        return False


def _in_period(record: Record, query: Query) -> bool:
    start, end = period_of(record.document)
    if start is None and end is None:
        return False
    if query.start and end and end < query.start:
        return False
    return not (query.end and start and start > query.end)


def _has_properties(record: Record, query: Query) -> bool:
    return all(_holds(record.document["properties"], one) for one in query.filters)


def _holds(properties: Mapping[str, Any], condition: Condition) -> bool:
    value = properties.get(condition.name)
    if isinstance(value, list) and condition.operator == "=":
        return condition.value in value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    wanted: Any = condition.value
    if isinstance(value, str) != isinstance(wanted, str):
        value, wanted = str(value), str(wanted)
    if condition.operator == "=":
        return bool(value == wanted)
    return bool(value <= wanted if condition.operator == "<=" else value >= wanted)


def _sorted(records: list[Record], sort: str) -> list[Record]:
    name, descending = sort.lstrip("-"), sort.startswith("-")

    def key(record: Record) -> tuple[bool, str, float]:
        value = record.document["properties"].get(name)
        if name == "id":
            value = record.id
        if name == "datetime":
            value = value or record.document["properties"].get("start_datetime")
            value = "" if value == dates.EARLIEST else value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return (True, "", value)
        return (isinstance(value, str), str(value or ""), 0.0)

    return sorted(records, key=key, reverse=descending)


_TESTS: dict[str, Callable[[Record, Query], bool]] = {
    ports.TEXT: _has_words,
    ports.BBOX: _in_box,
    ports.GEOMETRY: _intersects,
    ports.TIME: _in_period,
    ports.COLLECTIONS: lambda record, query: record.collection in query.collections,
    ports.IDS: lambda record, query: record.id in query.ids,
    ports.FILTERS: _has_properties,
}
_FILTERS = frozenset(_TESTS)


def _named(ability: str) -> str:
    return {
        ports.TEXT: _("words"),
        ports.BBOX: _("area"),
        ports.GEOMETRY: _("geometry"),
        ports.TIME: _("time"),
        ports.COLLECTIONS: _("collection"),
        ports.IDS: _("identifier"),
        ports.FILTERS: _("properties"),
    }[ability]
