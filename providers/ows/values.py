"""Values of outputs in answers of any WPS version, and of inputs in requests."""

from __future__ import annotations

from django.utils.translation import gettext as _
from lxml import etree

from common.errors import InvalidInput
from common.ows import read_box
from common.xml import Element, parse, text_ok
from providers.ows.documents import attribute, local
from providers.process import BoundingBoxValue, ComplexValue, Format, LiteralValue, ReferenceValue

# --- reading ------------------------------------------------------------------------------------


def literal(element: Element, identifier: str) -> LiteralValue:
    """A LiteralData of 1.0.0 or LiteralValue of 2.0."""
    return LiteralValue(
        identifier,
        literal_text("".join(element.itertext())),
        data_type=attribute(element, "dataType"),
        uom=attribute(element, "uom"),
    )


def literal_text(raw: str) -> str:
    """The value as it is; white space only of a server that indents its documents is taken off."""
    return raw.strip() if raw.startswith(("\n", "\r\n")) else raw


def reference(element: Element, identifier: str, described: Element) -> ReferenceValue | None:
    """`described` carries the media type when the reference itself does not."""
    href = attribute(element, "href")
    if not href:
        return None
    return ReferenceValue(
        identifier,
        href,
        media_type=attribute(element, "mimeType") or attribute(described, "mimeType"),
        encoding=attribute(element, "encoding") or attribute(described, "encoding"),
        schema=attribute(element, "schema") or attribute(described, "schema"),
    )


def complex_value(element: Element, identifier: str) -> ComplexValue | ReferenceValue | None:
    """Text, CDATA or base64 as it is, XML serialised; a lone Reference inside counts as such."""
    inner = [one for one in element if local(one)]
    if len(inner) == 1 and local(inner[0]) == "Reference" and attribute(inner[0], "href"):
        return reference(inner[0], identifier, element)
    data = "".join(element.itertext(with_tail=True)) if not inner else _serialised(element)
    encoding = attribute(element, "encoding")
    return ComplexValue(
        identifier,
        data,
        media_type=attribute(element, "mimeType"),
        encoding="base64" if encoding.lower() == "base64" else encoding,
        schema=attribute(element, "schema"),
    )


def _serialised(element: Element) -> str:
    parts = [element.text or "", *(etree.tostring(one, encoding="unicode") for one in element)]
    return "".join(parts).strip()


def bounding_box(element: Element, identifier: str) -> BoundingBoxValue | None:
    try:
        lower, upper, crs = read_box(element)
    except InvalidInput:
        return None
    return BoundingBoxValue(identifier, lower, upper, crs)


# --- writing ------------------------------------------------------------------------------------


def fill(element: Element, value: ComplexValue) -> None:
    """Put a document into an element; XML goes in as elements, which every server understands."""
    payload = _xml_payload(value)
    if payload is not None:
        element.append(payload)
    else:
        element.text = safe(value.data, value.identifier)


def _xml_payload(value: ComplexValue) -> Element | None:
    media_type = value.media_type.partition(";")[0].strip().lower()
    if value.encoding.lower() == "base64" or not media_type.endswith(("/xml", "+xml")):
        return None
    try:
        return parse(value.data.encode(), what=_("the value"))
    except (InvalidInput, UnicodeEncodeError):
        return None


def set_format(element: Element, form: Format) -> None:
    """The attributes mimeType, encoding and schema, as far as they are known."""
    named = (
        ("mimeType", form.media_type),
        ("encoding", form.encoding),
        ("schema", form.schema),
    )
    for name, value in named:
        if value:
            element.set(name, safe(value, name))


def safe(value: str, locator: str) -> str:
    """The text, if XML can carry it. Raises InvalidInput."""
    if not text_ok(value):
        raise InvalidInput(_("The text has control characters in it."), locator=locator)
    return value
