"""Dates of contexts: an instant, or a start and an end with a slash between (ISO 8601)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DAY = r"(\d{4})-(\d\d)-(\d\d)"
_ZONE = r"(Z|[+-]\d\d:\d\d)"
_CLOCKED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?"
# The pattern of the Atom grammar (12-084r2): the end needs a zone, and neither end may be open.
STRICT = re.compile(rf"{_CLOCKED}{_ZONE}?(/{_CLOCKED}{_ZONE})?")
EARLIEST, LATEST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
_OPEN = ("", "..")


def strict(text: str) -> str | None:
    """The date as the Atom encoding demands it; None when it cannot be understood.

    A day becomes its first or its last second, an open end the earliest or latest date there is.
    """
    if STRICT.fullmatch(text):
        return text
    start, slash, end = text.strip().partition("/")
    if not slash:
        return _moment(start, "00:00:00")
    if start in _OPEN and end in _OPEN:
        return None
    first = EARLIEST if start in _OPEN else _moment(start, "00:00:00")
    last = LATEST if end in _OPEN else _moment(end, "23:59:59")
    return None if first is None or last is None else f"{first}/{last}"


def interval(text: str) -> tuple[datetime | None, datetime | None] | None:
    """Start and end; an open end is None, a time without zone is UTC. None if not understood."""
    normal = strict(text)
    if normal is None:
        return None
    start, slash, end = normal.partition("/")
    try:
        first = None if start == EARLIEST else _instant(start)
        last = first if not slash else None if end == LATEST else _instant(end)
    except ValueError:
        return None
    if not slash and re.fullmatch(_DAY, text.strip()) and first:
        last = first + timedelta(days=1, seconds=-1)
    return first, last


def is_date_time(text: str) -> bool:
    """Whether it is an RFC 3339 date and time with a zone, such as `updated` must be."""
    if not re.fullmatch(_CLOCKED + _ZONE, text):
        return False
    try:
        _instant(text)
    except ValueError:
        return False
    return True


def repaired(text: str) -> str:
    """An `updated` with a zone and a clock, from a day or a time without zone; "" if it is none."""
    candidate = _moment(text.strip(), "00:00:00") or ""
    return candidate if is_date_time(candidate) else ""


def _moment(text: str, clock: str) -> str | None:
    if re.fullmatch(_DAY, text):
        return f"{text}T{clock}Z"
    normal = text.replace("t", "T").replace("z", "Z").replace(" ", "T", 1)
    normal = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", normal)
    if re.fullmatch(_CLOCKED, normal):
        return normal + "Z"
    return normal if re.fullmatch(_CLOCKED + _ZONE, normal) else None


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
