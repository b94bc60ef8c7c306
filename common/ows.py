"""Parts of OGC Web Services Common (06-121r3 and r9) that drivers and doors share.

Axis order, the rule of the whole portal: `CRS84` in any spelling, no CRS, and the short form
`EPSG:4326` mean longitude first, as nearly all software writes them; the URN and URL forms of an
EPSG geographic system mean latitude first, as the authority defines it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _
from lxml.builder import ElementMaker

from common.errors import (
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PaymentRequired,
    PortalError,
    ProviderError,
    RateLimited,
    ServerBusy,
    TooLarge,
)
from common.xml import (
    OWS11,
    OWS20,
    XML,
    E,
    Element,
    local_name,
    name,
    only_xml,
    serialise,
    text_of,
)

CRS84 = "urn:ogc:def:crs:OGC:1.3:CRS84"
_GEOGRAPHIC = frozenset({"4326", "4258", "4979", "4269"})  # degrees, near enough to WGS 84
_WEB_MERCATOR = frozenset({"3857", "900913"})
# UTM on WGS 84 and on ETRS 89.
_UTM = re.compile(r"epsg:(32[67](0[1-9]|[1-5]\d|60)|258(2[89]|3[0-8]))")
_CRS_NAME = re.compile(
    r"(|urn:(?:x-)?ogc:def:crs:|https?://(?:www\.)?opengis\.net/def/crs/)"
    r"([a-z]+)[:/](?:[^:/]*[:/])?([^:/]+)"
)
_MERCATOR_RADIUS = 6_378_137.0
_NOT_SUPPORTED = frozenset({"OperationNotSupported", "OptionNotSupported"})


# --- exceptions ----------------------------------------------------------------------------


def exception_code(error: PortalError, *, version: str = "1.0.0") -> tuple[str, str]:
    """The OWS exception code and locator of an error.

    A door may choose the code itself with `ows_code=` when it raises the error.
    """
    locator = str(getattr(error, "locator", "") or error.data.get("locator", ""))
    if "ows_code" in error.data:
        return str(error.data["ows_code"]), locator
    if isinstance(error, InvalidInput):
        return ("MissingParameterValue" if error.missing else "InvalidParameterValue"), locator
    if isinstance(error, ProviderError):
        return str(error.data.get("native_code") or "NoApplicableCode"), locator or "provider"
    too_large = "FileSizeExceeded" if version.startswith("1") else "SizeExceeded"
    for kind, code, place in (
        (NotFound, "InvalidParameterValue", ""),
        (NotAuthenticated, "NoApplicableCode", "Authentication"),
        (PaymentRequired, "NoApplicableCode", "credit"),
        (RateLimited, "ServerBusy", ""),
        (ServerBusy, "ServerBusy", ""),
        (TooLarge, too_large, ""),
    ):
        if isinstance(error, kind):
            return code, locator or place
    return "NoApplicableCode", locator


def exception_status(error: PortalError) -> int:
    """The HTTP status that goes with the report."""
    return 501 if exception_code(error)[0] in _NOT_SUPPORTED else error.status


def exception_report(error: PortalError, *, version: str = "1.0.0") -> bytes:
    """An `ows:ExceptionReport` (OWS 1.1 for version 1.x, OWS 2.0 for 2.x), one entry per fault.

    A door may choose the code of each fault with `ows_codes=`, by locator.
    """
    namespace = OWS11 if version.startswith("1") else OWS20
    ows = ElementMaker(namespace=namespace, nsmap={"ows": namespace})
    code, locator = exception_code(error, version=version)
    faults = {locator: [error.detail]}
    if isinstance(error, InvalidInput) and error.errors:
        faults = error.errors
    codes = error.data.get("ows_codes", {})
    report = ows.ExceptionReport(version=version)
    report.set(name(XML, "lang"), "en")
    for place, texts in faults.items():
        entry = ows.Exception(exceptionCode=codes.get(place, code))
        if place:
            entry.set("locator", only_xml(place))
        entry.extend(ows.ExceptionText(only_xml(str(text))) for text in texts)
        report.append(entry)
    return serialise(report)


class ForeignReport(NamedTuple):
    """An exception report of somebody else's: the first code and locator, all lines of text."""

    code: str
    locator: str
    text: str


def parse_exception_report(element: Element) -> ForeignReport | None:
    """Read an exception report of any OWS version, wherever servers put it; None for other XML."""
    if local_name(element) not in ("ExceptionReport", "ServiceExceptionReport"):
        return None
    entries = [e for e in element.iter() if local_name(e) in ("Exception", "ServiceException")]
    first = entries[0] if entries else element
    texts = (text for entry in entries if (text := "".join(entry.itertext()).strip()))
    return ForeignReport(
        code=first.get("exceptionCode") or first.get("code") or "NoApplicableCode",
        locator=first.get("locator", ""),
        text="\n".join(texts),
    )


# --- bounding boxes ------------------------------------------------------------------------


def corner(text: str) -> tuple[float, ...]:
    """The numbers of a corner, as given. Raises InvalidInput."""
    try:
        numbers = tuple(float(part) for part in re.split(r"[\s,]+", text.strip()))
    except ValueError:
        raise InvalidInput(_("The corners of a box must be numbers.")) from None
    if len(numbers) not in (2, 3) or not all(map(math.isfinite, numbers)):
        raise InvalidInput(_("A corner has two or three finite numbers."))
    return numbers


def read_box(element: Element) -> tuple[tuple[float, ...], tuple[float, ...], str]:
    """Lower corner, upper corner and CRS of an element of `ows:BoundingBoxType` (any OWS version).

    In the axis order of the document. Raises InvalidInput.
    """
    corners = {local_name(child): text_of(child) for child in element}
    if not {"LowerCorner", "UpperCorner"} <= corners.keys():
        raise InvalidInput(_("A box needs a lower and an upper corner."))
    lower, upper = corner(corners["LowerCorner"]), corner(corners["UpperCorner"])
    if len(lower) != len(upper):
        raise InvalidInput(_("The corners of a box have different numbers of coordinates."))
    return lower, upper, (element.get("crs") or "").strip()


def write_box(
    element: Element,
    lower: Sequence[float],
    upper: Sequence[float],
    crs: str = "",
    *,
    builder: ElementMaker | None = None,
) -> Element:
    """Fill an element with attributes and corners of `ows:BoundingBoxType`, and return it.

    `builder` decides the corners' namespace: OWS 1.1 unless another is given.
    """
    ows = builder or E.ows
    if crs:
        element.set("crs", crs)
    element.set("dimensions", str(len(lower)))
    element.append(ows.LowerCorner(" ".join(map(number, lower))))
    element.append(ows.UpperCorner(" ".join(map(number, upper))))
    return element


def number(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without a point."""
    return repr(float(value)).removesuffix(".0")


def to_lonlat_bbox(
    lower: Sequence[float], upper: Sequence[float], crs: str
) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees, longitude first (see the rule at the module's head).

    West above east means: across the antimeridian. Raises InvalidInput for another CRS than WGS 84
    and its near equals, or web Mercator.
    """
    first, second = (lower[0], lower[1]), (upper[0], upper[1])
    code, latitude_first = axis_order(crs)
    if code in _WEB_MERCATOR:
        first, second = _from_mercator(*first), _from_mercator(*second)
    elif latitude_first:
        first, second = first[::-1], second[::-1]
    return (*first, *second)


def axis_order(crs: str) -> tuple[str, bool]:
    """The EPSG code ("" for CRS84), and whether the spelling means latitude first."""
    text = crs.strip()
    if not text or re.search(r"(^|[:/#])CRS:?84$", text, re.I):
        return "", False
    found = re.fullmatch(r"(?:(.*?epsg\.xml#|.*?EPSG[:/](?:[^:/]*[:/])?))(\d+)", text, re.I)
    if not found or found[2] not in _GEOGRAPHIC | _WEB_MERCATOR:
        raise InvalidInput(_("This coordinate reference system is not supported: %s") % text[:100])
    # The oldest URL form (…/gml/srs/epsg.xml#4326) is from before latitude came first.
    short = found[1].lower() == "epsg:" or found[1].endswith("#")
    return found[2], found[2] in _GEOGRAPHIC and not short


def crs_name(crs: str) -> tuple[str, bool]:
    """Authority and code in lower case, whatever the spelling and version; and whether it is the
    short form, which does not say what the order of its axes is."""
    text = crs.strip().lower()
    found = _CRS_NAME.fullmatch(text)
    if not found:
        return text, False
    return f"{found[2]}:{found[3]}", found[1] == ""


def east_first(crs: str) -> bool:
    """Whether a system is UTM, in metres, the easting first in every spelling."""
    return _UTM.fullmatch(crs_name(crs)[0]) is not None


def _from_mercator(x: float, y: float) -> tuple[float, float]:
    latitude = 2 * math.atan(math.exp(y / _MERCATOR_RADIUS)) - math.pi / 2
    return math.degrees(x / _MERCATOR_RADIUS), math.degrees(latitude)
