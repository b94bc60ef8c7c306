"""A search as a JSON document: what the API takes, what data packages keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from catalogue_client import geometry as geo
from catalogue_client.owc import dates
from catalogue_client.sources.ports import Condition, Query
from catalogue_client.stac import instant_text
from common.errors import InvalidInput

MOST = 100  # records of a page, of each source
MOST_NAMES = 100
MOST_CONDITIONS = 20
MOST_TEXT = 200
MEMBERS = frozenset(
    {"text", "bbox", "intersects", "datetime", "collections", "ids", "filters", "sort", "limit"}
)


def query_from(document: Mapping[str, Any]) -> Query:
    """The search in a document. Raises InvalidInput that names the member; unknown ones too."""
    unknown = sorted(set(document) - MEMBERS)
    if unknown:
        text = _("A search has no such member; it has %(known)s.")
        raise InvalidInput(text % {"known": ", ".join(sorted(MEMBERS))}, locator=unknown[0])
    period = _text(document, "datetime")
    start, end = _period(period) if period else (None, None)
    box, shape = document.get("bbox"), document.get("intersects")
    limit = document.get("limit", 20)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise InvalidInput(_("A page has at least one entry."), locator="limit")
    if box is not None and not isinstance(box, list):
        raise InvalidInput("A box is four numbers: west, south, east, north.", locator="bbox")
    return Query(
        text=_text(document, "text"),
        bbox=geo.checked_box(box) if box is not None else None,
        geometry=_shape(shape) if shape is not None else None,
        start=start,
        end=end,
        collections=_names(document, "collections"),
        ids=_names(document, "ids"),
        filters=_conditions(document.get("filters") or []),
        sort=_text(document, "sort"),
        limit=min(limit, MOST),
    )


def document_of(query: Query) -> dict[str, Any]:
    """The document that `query_from` reads again; without the place in a list of pages."""
    found: dict[str, Any] = {
        "text": query.text,
        "bbox": list(query.bbox) if query.bbox else None,
        "intersects": query.geometry,
        "collections": list(query.collections),
        "ids": list(query.ids),
        "filters": [
            {"property": one.name, "op": one.operator, "value": one.value} for one in query.filters
        ],
        "sort": query.sort,
    }
    if query.start or query.end:
        ends = (query.start, query.end)
        found["datetime"] = "/".join(instant_text(end) if end else ".." for end in ends)
    return {name: value for name, value in found.items() if value}


def _period(text: str) -> tuple[Any, Any]:
    """An instant, a day, or start/end with either open; a day ends with its last second."""
    try:
        start, slash, end = text.partition("/")
        found = dates.interval(text)
        if found is not None and slash:
            last = dates.interval(end) if end not in ("", "..") else None
            found = found[0], last[1] if last else found[1]
        del start
    except (ValueError, OverflowError):
        found = None
    if found is None or found == (None, None) or (all(found) and found[1] < found[0]):  # type: ignore[operator]
        raise InvalidInput(
            _("A time is an instant, a day, or start/end with .. for an open one."),
            locator="datetime",
        )
    return found


def _shape(value: object) -> dict[str, Any]:
    try:
        return geo.checked(value)
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator="intersects") from None


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name) or ""
    if not isinstance(value, str) or len(value) > MOST_TEXT:
        raise InvalidInput(_("This must be a short text."), locator=name)
    return value.strip()


def _names(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = document.get(name) or []
    if not isinstance(values, list) or len(values) > MOST_NAMES:
        raise InvalidInput(_("This must be a list of names."), locator=name)
    if not all(isinstance(one, str) and 0 < len(one) <= 500 for one in values):  # noqa: PLR2004
        raise InvalidInput(_("This must be a list of names."), locator=name)
    return tuple(values)


def _conditions(values: object) -> tuple[Condition, ...]:
    if not isinstance(values, list) or len(values) > MOST_CONDITIONS:
        raise InvalidInput(_("This must be a list of conditions."), locator="filters")
    return tuple(_condition(one) for one in values)


def _condition(value: object) -> Condition:
    name = value.get("property") if isinstance(value, Mapping) else None
    operator = value.get("op", "=") if isinstance(value, Mapping) else None
    wanted = value.get("value") if isinstance(value, Mapping) else None
    plain = isinstance(wanted, str | int | float) and not isinstance(wanted, bool)
    if not isinstance(name, str) or not name or operator not in ("=", "<=", ">=") or not plain:
        raise InvalidInput(
            _("A condition has a property, an op of =, <= or >=, and a value."), locator="filters"
        )
    return Condition(name[:MOST_TEXT], operator, wanted)  # type: ignore[arg-type]
