"""Values as records write them: numbers, instants, durations, benchmarks, names of groups. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from itertools import product

LONGEST = 255
MOST = 9_000_000_000_000_000  # fits the numbers of JSON and 64 bits with room for sums
MOST_INTEGER = 2**31 - 1
MOST_LEVEL = 9_999_999
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=2)  # clocks of sites are trusted so far

# The first one present in a dictionary is the benchmark of the record.
BENCHMARKS = ("hepscore23", "hepspec", "si2k")
SI2K_PER_HEPSPEC = 250
# NULL and None in any case: a value that is none.
NULLS = frozenset(
    "".join(letters)
    for word in ("null", "none")
    for letters in product(*((c, c.upper()) for c in word))
) | {""}

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_MOST_DIGITS = 19
_NUMBER = re.compile(r"[0-9]{1,19}(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?")
_ISO_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)"
    r"(?:\.\d{1,9})?(?P<zone>Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_DAY_FIRST = re.compile(r"(\d\d)-(\d\d)-(\d{4})(?=T)", re.ASCII)
_DURATION = re.compile(
    r"P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,12})M)?(?:(\d{1,16}(?:[.,]\d{1,9})?)S)?)?",
    re.ASCII,
)
# Years are 365 days, months a twelfth of that.
_SECONDS = (31_536_000, 2_628_000, 604_800, 86_400, 3600, 60)


def plain(text: str) -> bool:
    """Whether a value has no control character: none has business there, some cannot be stored."""
    return text.isprintable() or not _CONTROL.search(text)


def whole(text: str, most: int = MOST) -> int | None:
    """A number of digits only, from 0 to `most`; else None."""
    if text.isdigit() and text.isascii() and len(text) <= _MOST_DIGITS:
        number = int(text)
        return number if number <= most else None
    return None


def number(text: str) -> Fraction | None:
    """The exact number from 0 to MOST, with a decimal point, an exponent or without; else None."""
    if _NUMBER.fullmatch(text):
        found = Fraction(text)
        return found if found <= MOST else None
    return None


def instant(text: str, *, zoned: bool = True) -> datetime | None:
    """The instant in UTC, to the second, of an ISO time or of seconds since 1970; else None.

    `zoned` False: a time without zone is UTC (ISO 8601 leaves it to the parties).
    """
    try:
        if text.isdigit() and text.isascii():
            return datetime.fromtimestamp(int(text), UTC) if len(text) <= _MOST_DIGITS else None
        match = _ISO_TIME.fullmatch(text)
        if match is None or (zoned and (match["zone"] is None or " " in text)):
            return None
        moment = f"{match['date']}T{match['time']}{match['zone'] or 'Z'}"
        return datetime.fromisoformat(moment).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None  # no such day, or beyond the calendar


def any_instant(text: str) -> datetime | None:
    """As `instant`, and day-first dates and milliseconds since 1970, as TEP centres send them."""
    if len(text) > len("9999999999") and text.isdigit() and text.isascii():
        text = text[:-3]
    return instant(_DAY_FIRST.sub(r"\3-\2-\1", text, count=1), zoned=False)


def duration(text: str) -> int | None:
    """Seconds of an ISO 8601 duration, fractions rounded to the nearest; else None."""
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        return None
    *parts, seconds = match.groups(default="0")
    length = _nearest(Fraction(seconds.replace(",", ".")))
    length += sum(int(count) * each for count, each in zip(parts, _SECONDS, strict=True))
    return length if length <= MOST else None


def month_of(moment: datetime) -> date:
    """The first day of the month of an instant in UTC."""
    return date(moment.year, moment.month, 1)


def start_of(month: date) -> datetime:
    """The first instant of a month."""
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def end_of(month: date) -> datetime:
    """The first instant after a month."""
    return start_of((month + timedelta(days=31)).replace(day=1))


def _nearest(exact: Fraction) -> int:
    return math.floor(exact + Fraction(1, 2))


def level(text: str) -> int | None:
    """Thousandths of a benchmark's level, rounded half up, above 0; else None."""
    return _level(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=1024)
def _level(text: str) -> int | None:
    exact = number(text)
    if exact is None or exact > MOST_LEVEL:
        return None
    return _nearest(exact * 1000) or None


@lru_cache(maxsize=1024)
def groups_of(fqan: str) -> Mapping[str, str]:
    """VO, VOGroup and VORole of an FQAN; one that does not begin with / is a VO's plain name.

    Only for a text not longer than LONGEST: it is remembered.
    """
    first = fqan.partition(";")[0].strip()
    if not first.startswith("/"):
        return {"VO": first}
    segments = first[1:].split("/")
    role = next((n for n, s in enumerate(segments) if s.lower().startswith("role=")), None)
    found = {"VO": segments[0], "VOGroup": "/" + "/".join(segments[:role])}
    if role is not None:
        found["VORole"] = segments[role]
    return found
