"""One value of one input on its way between the page, the request and the job.

An Occurrence is what the controls of one value hold: text exactly as typed. It is read from a
posted form or made of an earlier value, shown again as it is, and turned into a process value.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from common.errors import InvalidInput
from common.ows import to_lonlat_bbox
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    Format,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    ReferenceValue,
)

SIDES = ("west", "south", "east", "north")
MOST_FILE_MEGABYTES = 10  # of a file that becomes a part of the request to the provider
MOST_SHOWN_AGAIN = 200_000  # characters of a file that are put back into the page


@dataclass(frozen=True, slots=True)
class Occurrence:
    """The controls of one value. `source` is text, file or href; `format` an index as text."""

    prefix: str
    text: str = ""
    uom: str = ""
    source: str = "text"
    href: str = ""
    format: str = "0"
    encoding: str = ""
    corners: tuple[str, ...] = ("", "", "", "")
    file: UploadedFile | None = None

    @property
    def given(self) -> bool:
        """Whether anything was entered."""
        if any(self.corners):
            return True
        return bool({"file": self.file, "href": self.href.strip()}.get(self.source, self.text))

    @property
    def sides(self) -> list[tuple[str, str]]:
        """Name and text of each side of the box, for the page."""
        return list(zip(SIDES, self.corners, strict=True))


def posted(prefix: str, data: Mapping[str, str], files: Mapping[str, UploadedFile]) -> Occurrence:
    """The controls as they were posted."""
    return Occurrence(
        prefix=prefix,
        text=data.get(prefix, "").replace("\r\n", "\n"),
        uom=data.get(f"{prefix}-uom", ""),
        source=data.get(f"{prefix}-source", "text"),
        href=data.get(f"{prefix}-href", "").strip(),
        format=data.get(f"{prefix}-format", "0"),
        encoding="base64" if data.get(f"{prefix}-encoding") == "base64" else "",
        corners=tuple(data.get(f"{prefix}-{side}", "").strip() for side in SIDES),
        file=files.get(f"{prefix}-file"),
    )


def of_value(prefix: str, wanted: InputDescription, value: InputValue) -> Occurrence:
    """The controls that give this value: for running a job again."""
    if isinstance(value, LiteralValue):
        text = _local(value.value) if _type(wanted) == "dateTime" else value.value
        return Occurrence(prefix, text=text, uom=value.uom)
    if isinstance(value, BoundingBoxValue):
        return Occurrence(prefix, corners=_degrees(value))
    chosen = _format_index(wanted, Format(value.media_type, value.encoding, value.schema))
    if isinstance(value, ReferenceValue):
        return Occurrence(prefix, source="href", href=value.href, format=chosen)
    return Occurrence(prefix, text=value.data, encoding=value.encoding, format=chosen)


def to_value(wanted: InputDescription, given: Occurrence) -> InputValue:
    """The value that the controls give. Raises InvalidInput when they cannot be read."""
    domain = wanted.domain
    if isinstance(domain, LiteralDomain):
        text = given.text
        if domain.data_type == "dateTime" and text:
            text = _utc(text)
        return LiteralValue(wanted.identifier, text, domain.data_type, given.uom)
    if isinstance(domain, BoundingBoxDomain):
        return _box(wanted.identifier, domain, given)
    return _document(wanted.identifier, domain, given)


def shown_again(given: Occurrence, value: InputValue | None) -> Occurrence:
    """The controls after a round trip: a browser forgets a file, so its content becomes text."""
    if given.file is None or not isinstance(value, ComplexValue):
        return replace(given, file=None)
    if len(value.data) > MOST_SHOWN_AGAIN:
        return replace(given, file=None)
    return replace(given, file=None, source="text", text=value.data, encoding=value.encoding)


def axes(crs: str) -> str:
    """The axis order of a geographic system: "lonlat", "latlon", or "" for one not in degrees."""
    try:
        box = to_lonlat_bbox((1.0, 2.0), (3.0, 4.0), crs)
    except InvalidInput:
        return ""
    orders = {(1.0, 2.0, 3.0, 4.0): "lonlat", (2.0, 1.0, 4.0, 3.0): "latlon"}
    return orders.get(box, "")


def degrees_crs(domain: BoundingBoxDomain) -> str:
    """The first system of the input that is in degrees; "" when a map cannot help."""
    return next((crs for crs in domain.crss if axes(crs)), "")


def _box(identifier: str, domain: BoundingBoxDomain, given: Occurrence) -> BoundingBoxValue:
    try:
        west, south, east, north = (float(c.replace(",", ".")) for c in given.corners)
    except ValueError:
        raise InvalidInput(_("Give four numbers: west, south, east and north.")) from None
    crs = degrees_crs(domain) or domain.crss[0]
    if axes(crs) == "latlon":
        return BoundingBoxValue(identifier, (south, west), (north, east), crs)
    return BoundingBoxValue(identifier, (west, south), (east, north), crs)


def _degrees(value: BoundingBoxValue) -> tuple[str, ...]:
    numbers = (*value.lower[:2], *value.upper[:2])
    if axes(value.crs) == "latlon":
        numbers = (numbers[1], numbers[0], numbers[3], numbers[2])
    return tuple(f"{n:.10g}" for n in numbers)


def _document(
    identifier: str, domain: ComplexDomain, given: Occurrence
) -> ComplexValue | ReferenceValue:
    chosen = domain.formats[_index(given.format, len(domain.formats))]
    named = {"media_type": chosen.media_type, "schema": chosen.schema}
    if given.source == "href":
        return ReferenceValue(identifier, given.href, encoding=chosen.encoding, **named)
    if given.source == "file":
        if given.file is None:
            raise InvalidInput(_("Choose a file."))
        data, encoding = _content(given.file, domain)
        return ComplexValue(identifier, data, encoding=encoding, **named)
    return ComplexValue(identifier, given.text, encoding=given.encoding, **named)


def _content(file: UploadedFile, domain: ComplexDomain) -> tuple[str, str]:
    """The file as text, or as base64 when it is not text."""
    most = min(domain.maximum_megabytes or MOST_FILE_MEGABYTES, MOST_FILE_MEGABYTES)
    if (file.size or 0) > most * 2**20:
        raise InvalidInput(
            _("The file is larger than %(n)s MB; give a web address instead.") % {"n": most}
        )
    content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = ""
    if text and "\x00" not in text:
        return text, ""
    return base64.b64encode(content).decode(), "base64"


def _index(text: str, most: int) -> int:
    index = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0  # noqa: PLR2004
    return index if index < most else 0


def _format_index(wanted: InputDescription, known: Format) -> str:
    formats = wanted.domain.formats if isinstance(wanted.domain, ComplexDomain) else ()
    same = (i for i, f in enumerate(formats) if f.media_type == known.media_type)
    return str(next(same, 0))


def _type(wanted: InputDescription) -> str:
    return wanted.domain.data_type if isinstance(wanted.domain, LiteralDomain) else ""


def _utc(text: str) -> str:
    """Browsers send a date and time without a zone; the page says that it is UTC."""
    return text if text.endswith("Z") or "+" in text[10:] else f"{text}Z"


def _local(text: str) -> str:
    """What a date-and-time control takes: UTC without the letter."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (at.astimezone(UTC) if at.tzinfo else at).strftime("%Y-%m-%dT%H:%M:%S")
