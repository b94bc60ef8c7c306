"""The parameters of a search, from an address or from a JSON body (STAC API 1.0, Item Search)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from catalogue_client import geometry as geo
from catalogue_client.selectors import Search
from catalogue_client.stac import instant
from common.errors import InvalidInput

DEFAULT_LIMIT = 10
# They would restrict the answer; to ignore them would answer another question. Other parameters
# that are unknown are ignored, as the standard wants.
_NOT_OFFERED = ("intersects", "filter", "query", "q")
_OPEN = ("", "..")
# What no text in a database may hold.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def from_query(query: Mapping[str, str]) -> Search:
    """The search that the parameters of an address ask for. Raises InvalidInput."""
    values: dict[str, Any] = {name: value for name, value in query.items() if value != ""}
    if "bbox" in values:
        values["bbox"] = [_number(part) for part in values["bbox"].split(",")]
    return _search(values)


def from_body(body: bytes) -> Search:
    """The search that a JSON body asks for. Raises InvalidInput."""
    try:
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise InvalidInput("The body is no JSON.", locator="body") from None
    if not isinstance(values, dict):
        raise InvalidInput("The body must be a JSON object.", locator="body")
    return _search({name: value for name, value in values.items() if value is not None})


def _search(values: Mapping[str, Any]) -> Search:
    for name in _NOT_OFFERED:
        if name in values:
            raise InvalidInput(f"“{name}” is not offered here.", locator=name)
    start, end = _period(values.get("datetime"))
    bbox = values.get("bbox")
    if bbox is not None and not isinstance(bbox, list):
        raise InvalidInput("“bbox” must be a list of numbers.", locator="bbox")
    return Search(
        collections=_names(values, "collections"),
        ids=_names(values, "ids"),
        bbox=None if bbox is None else _box(bbox),
        start=start,
        end=end,
        limit=_limit(values.get("limit", DEFAULT_LIMIT)),
        after=_text(values.get("token", ""), "token"),
    )


def _box(numbers: list[Any]) -> geo.Box:
    """The box without its heights, which must still be in order (6 numbers)."""
    if len(numbers) == 6:  # noqa: PLR2004 (two corners in three dimensions)
        low, high = numbers[2], numbers[5]
        if not all(isinstance(n, int | float) for n in (low, high)) or low > high:
            raise InvalidInput("The heights of “bbox” are not in order.", locator="bbox")
    return geo.checked_box(numbers)


def _limit(value: Any) -> int:
    text = value if isinstance(value, int) and not isinstance(value, bool) else str(value)
    if not re.fullmatch(r"[0-9]{1,9}", str(text)) or int(text) < 1:
        raise InvalidInput("“limit” must be a whole number from 1.", locator="limit")
    return int(text)


def _names(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list, or a text with commas, which well-known testers send in bodies too."""
    given = values.get(name, [])
    listed = given.split(",") if isinstance(given, str) else given
    if not isinstance(listed, list):
        raise InvalidInput(f"“{name}” must be a list.", locator=name)
    return tuple(_text(member, name).strip() for member in listed)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or _UNSTORABLE.search(value):
        raise InvalidInput(f"“{name}” must be text.", locator=name)
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInput("“bbox” must be numbers.", locator="bbox") from None


def _period(value: Any) -> tuple[datetime | None, datetime | None]:
    """An instant as a period of no length, or a period with at most one open end."""
    if value is None:
        return None, None
    start, slash, end = _text(value, "datetime").partition("/")
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


def _moment(text: str) -> datetime:
    # A plus sign in an address arrives as a space unless it was encoded.
    return instant(re.sub(r" (\d\d:\d\d)$", r"+\1", text), locator="datetime")
