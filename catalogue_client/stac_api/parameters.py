"""The parameters of a search, from an address or from a JSON body (STAC API 1.0, Item Search)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from catalogue_client import geometry as geo
from catalogue_client.filters import Node, Place, from_json, from_text
from catalogue_client.places import shape_of
from catalogue_client.queryables import name_of
from catalogue_client.selectors import Search
from catalogue_client.stac import instant
from catalogue_client.stac_api.fields import Fields, fields_of
from common.errors import InvalidInput

DEFAULT_LIMIT = 10
# They would restrict the answer; to ignore them would answer another question. Other parameters
# that are unknown are ignored, as the standard wants.
_NOT_OFFERED = ("query", "q")
_LANGUAGES = ("cql2-text", "cql2-json")
_CRS = ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84", "CRS84")
_OPEN = ("", "..")
# What no text in a database may hold.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, and which members of its items are wanted (None: all)."""

    search: Search
    fields: Fields | None = None


def from_query(query: Mapping[str, str]) -> Asked:
    """The search that the parameters of an address ask for. Raises InvalidInput."""
    values: dict[str, Any] = {
        name: value for name, value in query.items() if value != "" or name == "fields"
    }
    if "bbox" in values:
        values["bbox"] = [number(part) for part in values["bbox"].split(",")]
    if "sortby" in values:
        values["sortby"] = [_direction(name) for name in values["sortby"].split(",")]
    as_text = values.get("filter-lang", "cql2-text") == "cql2-text"
    for name in ("intersects", *(() if as_text else ("filter",))):
        if name in values:
            values[name] = _json(values[name], name)
    return _asked({"filter-lang": "cql2-text", **values})


def from_body(body: bytes) -> Asked:
    """The search that a JSON body asks for. Raises InvalidInput."""
    values = _json(body or b"{}", "body")
    if not isinstance(values, dict):
        raise InvalidInput("The body must be a JSON object.", locator="body")
    try:
        orjson.dumps([[[[values]]]])  # so deep it is repeated in the link to the next page
    except TypeError:
        raise InvalidInput("The body is too deep.", locator="body") from None
    there = {n: v for n, v in values.items() if v is not None or n == "fields"}
    return _asked({"filter-lang": "cql2-json", **there})


def _asked(values: Mapping[str, Any]) -> Asked:
    for name in _NOT_OFFERED:
        if name in values:
            raise InvalidInput(f"“{name}” is not offered here.", locator=name)
    if "bbox" in values and "intersects" in values:
        raise InvalidInput("Give either “bbox” or “intersects”.", locator="intersects")
    start, end = period(values.get("datetime"))
    search = Search(
        collections=_names(values, "collections"),
        ids=_names(values, "ids"),
        bbox=box(values.get("bbox")),
        intersects=_place(values.get("intersects")),
        start=start,
        end=end,
        filter=_filter(values),
        sort=_sort(values.get("sortby", [])),
        limit=limit(values.get("limit", DEFAULT_LIMIT)),
        after=text(values.get("token", ""), "token"),
    )
    return Asked(search, fields_of(values["fields"]) if "fields" in values else None)


def _json(written: str | bytes, name: str) -> Any:
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError:
        raise InvalidInput(f"“{name}” is no JSON.", locator=name) from None


def _filter(values: Mapping[str, Any]) -> Node | None:
    language, wanted = values["filter-lang"], values.get("filter")
    if language not in _LANGUAGES:
        raise InvalidInput("Filters are in cql2-text or cql2-json.", locator="filter-lang")
    if values.get("filter-crs", _CRS[0]) not in _CRS:
        raise InvalidInput("Filters are in CRS84 only.", locator="filter-crs")
    if wanted is None:
        return None
    return from_text(text(wanted, "filter")) if language == "cql2-text" else from_json(wanted)


def _place(value: Any) -> Place | None:
    return None if value is None else Place("intersects", shape_of(value))


def _direction(name: str) -> dict[str, str]:
    """A field as an address names it; a plus sign may have become a space there."""
    descending = name.startswith("-")
    return {"field": name.lstrip("+- "), "direction": "desc" if descending else "asc"}


def _sort(fields: Any) -> tuple[tuple[str, bool], ...]:
    if not isinstance(fields, list):
        raise InvalidInput("“sortby” is a list of fields.", locator="sortby")
    found = []
    for field in fields:
        known = isinstance(field, dict) and field.get("direction", "asc") in ("asc", "desc")
        if not known:
            raise InvalidInput("“sortby” has fields with asc or desc.", locator="sortby")
        found.append((name_of(field.get("field")), field.get("direction") == "desc"))
    return tuple(found)


def box(numbers: Any) -> geo.Box | None:
    """The box without its heights, which must still be in order (6 numbers)."""
    if numbers is None:
        return None
    if not isinstance(numbers, list):
        raise InvalidInput("“bbox” must be a list of numbers.", locator="bbox")
    if len(numbers) == 6:  # noqa: PLR2004 (two corners in three dimensions)
        low, high = numbers[2], numbers[5]
        if not all(isinstance(n, int | float) for n in (low, high)) or low > high:
            raise InvalidInput("The heights of “bbox” are not in order.", locator="bbox")
    return geo.checked_box(numbers)


def limit(value: Any) -> int:
    """A page's size."""
    written = "" if isinstance(value, bool) else str(value)
    if not re.fullmatch(r"[0-9]{1,9}", written) or int(written) < 1:
        raise InvalidInput("“limit” must be a whole number from 1.", locator="limit")
    return int(written)


def _names(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list, or a text with commas, which well-known testers send in bodies too."""
    given = values.get(name, [])
    listed = given.split(",") if isinstance(given, str) else given
    if not isinstance(listed, list):
        raise InvalidInput(f"“{name}” must be a list.", locator=name)
    return tuple(text(member, name).strip() for member in listed)


def text(value: Any, name: str) -> str:
    """The value, if it is a text that a database can hold."""
    if not isinstance(value, str) or _UNSTORABLE.search(value):
        raise InvalidInput(f"“{name}” must be text.", locator=name)
    return value


def number(written: str) -> float:
    """One number of a box in an address."""
    try:
        return float(written)
    except ValueError:
        raise InvalidInput("“bbox” must be numbers.", locator="bbox") from None


def period(value: Any) -> tuple[datetime | None, datetime | None]:
    """An instant as a period of no length, or a period with at most one open end."""
    if value is None:
        return None, None
    start, slash, end = text(value, "datetime").partition("/")
    if not slash:
        moment = _moment(start)
        return moment, moment
    if start in _OPEN and end in _OPEN:
        raise InvalidInput("“datetime” is open at both ends.", locator="datetime")
    first = None if start in _OPEN else _moment(start)
    last = None if end in _OPEN else _moment(end)
    if first and last and last < first:
        raise InvalidInput("“datetime” ends before it starts.", locator="datetime")
    return first, last


def _moment(written: str) -> datetime:
    # A plus sign in an address arrives as a space unless it was encoded.
    return instant(re.sub(r" (\d\d:\d\d)$", r"+\1", written), locator="datetime")
