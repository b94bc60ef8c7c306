"""Checks of single values: types, ranges, documents, addresses, corners."""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from common.ows import axis_order, crs_name, east_first, to_lonlat_bbox
from common.xml import parse, text_ok
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    DataType,
    LiteralDomain,
    ValueRange,
)

MOST_CHARACTERS = 100_000
MOST_ADDRESS = 2000
_TEXTS = ("json", "xml", "javascript", "yaml", "csv", "wkt")
FARTHEST = 1e9  # metres, feet or the like from the origin of a projected system


def literal(data_type: str, text: str) -> str:
    """The value as it is sent, or InvalidInput when it is not of the type (XML Schema's words)."""
    if len(text) > MOST_CHARACTERS or not text_ok(text):
        raise InvalidInput(_("This text is too long or has control characters in it."))
    if data_type == "string":
        return text
    text = text.strip()
    reader, message = _READERS[data_type]
    try:
        reader(text)
    except (ValueError, InvalidOperation, OverflowError):
        raise InvalidInput(message()) from None
    return text


def json_type(given: object) -> DataType:
    """The type that a plain value of JSON was given as."""
    if isinstance(given, bool):
        return "boolean"
    whole = isinstance(given, int) or (isinstance(given, float) and given.is_integer())
    return "integer" if whole else "double" if isinstance(given, float) else "string"


def allowed(domain: LiteralDomain, text: str) -> bool:
    """Whether the value is in the list, or in one of the ranges."""
    return any(_equal(domain.data_type, text, one) for one in domain.allowed_values) or any(
        _inside(domain.data_type, text, one) for one in domain.ranges
    )


def complex_data(media_type: str, value: ComplexValue) -> None:
    """Look whether the data is what its media type says, where that is cheap to see.

    Raises InvalidInput: a provider should not be paid to find a missing bracket.
    """
    if value.encoding.lower() == "base64":
        try:
            base64.b64decode("".join(value.data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise InvalidInput(_("This is not base64.")) from None
        return
    if not text_ok(value.data):
        raise InvalidInput(_("The text has control characters in it; send it as base64."))
    kind = media_type.split(";", maxsplit=1)[0].strip().lower()
    if kind.endswith(("/json", "+json")):
        try:
            json.loads(value.data)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(_("This is not JSON: %(why)s.") % {"why": error}) from None
    elif kind.endswith(("/xml", "+xml")):
        parse(value.data.encode(), what=_("the value"))


def is_text(media_type: str) -> bool:
    """Whether it is one of text; bytes of others that happen to be readable are still bytes."""
    kind = media_type.split(";", maxsplit=1)[0].strip().lower()
    return not kind or kind.startswith("text/") or kind.endswith(_TEXTS)


def address(href: str) -> str:
    """An address that a provider may be told to fetch: plain http(s), nothing secret in it."""
    href = href.strip()
    try:
        parts = urlsplit(href)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or len(href) > MOST_ADDRESS or not text_ok(href) or " " in href:
        raise InvalidInput(_("This is not a web address."))
    if parts.scheme not in ("http", "https"):
        raise InvalidInput(_("The address must begin with https:// or http://."))
    if parts.username or parts.password:
        raise InvalidInput(_("The address must not have a user name or password in it."))
    return href


def same_crs(one: str, other: str) -> bool:
    """Whether two spellings name one reference system in the same axis order.

    CRS84 and the short `EPSG:4326` both are WGS 84 with longitude first, which OWSLib and QGIS
    mean; the URN and the URL of EPSG 4326 have latitude first.
    """
    return _meaning(one) == _meaning(other)


def _meaning(crs: str) -> tuple[str, bool]:
    try:
        code, latitude_first = axis_order(crs)
    except InvalidInput:
        name, short = crs_name(crs)
        # Where the authority has the easting first, the short form cannot mean anything else.
        return name, short and not east_first(crs)
    return code or "4326", latitude_first


def corners(value: BoundingBoxValue, crs: str) -> None:
    """Check the corners of a box; raises InvalidInput."""
    numbers = (*value.lower, *value.upper)
    if len(value.lower) != len(value.upper) or len(value.lower) not in (2, 3):
        raise InvalidInput(_("A box has two corners of two numbers each."))
    if not all(math.isfinite(n) for n in numbers):
        raise InvalidInput(_("The corners must be numbers."))
    try:
        west, south, east, north = to_lonlat_bbox(value.lower, value.upper, crs)
    except InvalidInput:
        _projected(value)
        return
    if south > north:
        raise InvalidInput(_("The lower corner is above the upper one."))
    if not (-180 <= west <= 180 and -180 <= east <= 180 and south >= -90 and north <= 90):  # noqa: PLR2004 (degrees)
        raise InvalidInput(_("The box reaches outside the globe."))
    if west == east or south == north:
        raise InvalidInput(_("The box has no area."))


def _projected(value: BoundingBoxValue) -> None:
    """Check a box of a system that is not in degrees; its bounds are known to the provider."""
    sides = list(zip(value.lower, value.upper, strict=True))
    if any(low > high for low, high in sides):
        raise InvalidInput(_("The lower corner is above the upper one."))
    if any(max(abs(low), abs(high)) > FARTHEST for low, high in sides):
        raise InvalidInput(_("The box reaches outside the globe."))
    if any(low == high for low, high in sides[:2]):
        raise InvalidInput(_("The box has no area."))


def _finite(text: str) -> float:
    number = float(text)
    # Python reads “1_0”, others do not; bounds are compared as decimals, of bounded exponents.
    if not math.isfinite(number) or "_" in text or not Decimal(text).is_finite():
        raise ValueError(text)
    return number


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", text):
        raise ValueError(text)
    return int(text)


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _is_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(text)
    return _boolean(text)


_READERS: dict[str, tuple[Callable[[str], Any], Callable[[], str]]] = {
    "boolean": (_is_boolean, lambda: _("This must be true or false.")),
    "integer": (_integer, lambda: _("This must be a whole number.")),
    "double": (_finite, lambda: _("This must be a number.")),
    "date": (date.fromisoformat, lambda: _("This must be a date such as 2026-03-31.")),
    "dateTime": (
        datetime.fromisoformat,
        lambda: _("This must be a date and time such as 2026-03-31T12:00:00Z."),
    ),
    "time": (time.fromisoformat, lambda: _("This must be a time such as 12:30:00.")),
    "anyURI": (address, lambda: _("This must be a web address.")),
}


def _comparable(data_type: str, text: str) -> Any:
    if data_type in ("integer", "double"):
        return Decimal(text)
    if data_type in ("date", "dateTime", "time"):
        return _READERS[data_type][0](text)
    if data_type == "boolean":
        return _boolean(text)
    return text


def _equal(data_type: str, text: str, other: str) -> bool:
    try:
        return bool(_comparable(data_type, text) == _comparable(data_type, other))
    except (ValueError, KeyError, InvalidOperation):
        return text == other


def _inside(data_type: str, text: str, wanted: ValueRange) -> bool:
    """Whether the value is in the range, and on its grid; a bound or a step that cannot be read
    does not refuse anything."""
    value = _comparable(data_type, text)
    open_low = wanted.closure in ("open", "open-closed")
    open_high = wanted.closure in ("open", "closed-open")
    try:
        if wanted.minimum not in (None, ""):
            low = _comparable(data_type, str(wanted.minimum))
            if value < low or (open_low and value == low):
                return False
        if wanted.maximum not in (None, ""):
            high = _comparable(data_type, str(wanted.maximum))
            if value > high or (open_high and value == high):
                return False
        if wanted.spacing and data_type in ("integer", "double"):
            step, start = Decimal(wanted.spacing), Decimal(wanted.minimum or 0)
            return not (step.is_finite() and step > 0) or (value - start) % step == 0
    except (TypeError, ValueError, KeyError, InvalidOperation):
        return True
    return True
