"""The outputs in an ExecuteResponse (OGC 05-007r7 §10.3)."""

from __future__ import annotations

from dataclasses import replace

import structlog
from lxml import etree

from common.errors import InvalidInput
from common.ows import read_box
from common.xml import Element
from providers.addresses import foreign, without_own_addresses
from providers.drivers.wps1.documents import attribute, child, children, local, text
from providers.ports import Endpoint
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    InputValue,
    LiteralValue,
    OutputValue,
    ReferenceValue,
)

log = structlog.get_logger(__name__)


def parse_outputs(response: Element, endpoint: Endpoint) -> tuple[OutputValue, ...]:
    """Every output that has a value; identifiers may repeat. What has none is passed over."""
    found = []
    for element in children(child(response, "ProcessOutputs"), "Output"):
        identifier = text(element, "Identifier")
        value = _value(element, identifier) if identifier else None
        if value is None:
            log.warning("provider.output_without_value", identifier=identifier[:200])
            continue
        if isinstance(value, ComplexValue | ReferenceValue):
            value = replace(value, schema=foreign(value.schema, endpoint))
        found.append(
            OutputValue(
                value,
                title=without_own_addresses(text(element, "Title"), endpoint),
                abstract=without_own_addresses(text(element, "Abstract"), endpoint),
            )
        )
    return tuple(found)


def _value(element: Element, identifier: str) -> InputValue | None:
    reference = child(element, "Reference")
    if reference is not None:
        return _reference(reference, identifier, reference)
    data = child(element, "Data")
    complex_data = child(data, "ComplexData")
    if complex_data is not None:
        return _complex(complex_data, identifier)
    box = child(data, "BoundingBoxData")
    if box is not None:
        return _bounding_box(box, identifier)
    literal = child(data, "LiteralData")
    if literal is not None:
        return LiteralValue(
            identifier,
            _literal_text("".join(literal.itertext())),
            data_type=attribute(literal, "dataType"),
            uom=attribute(literal, "uom"),
        )
    return None


def _literal_text(raw: str) -> str:
    """The value as it is; white space only of a server that indents its documents is taken off."""
    return raw.strip() if raw.startswith("\n") else raw


def _reference(element: Element, identifier: str, described: Element) -> ReferenceValue | None:
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


def _complex(element: Element, identifier: str) -> InputValue | None:
    """Text, CDATA or base64 as it is, XML serialised; a lone Reference inside counts as such."""
    inner = [one for one in element if local(one)]
    if len(inner) == 1 and local(inner[0]) == "Reference" and attribute(inner[0], "href"):
        return _reference(inner[0], identifier, element)
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


def _bounding_box(element: Element, identifier: str) -> BoundingBoxValue | None:
    try:
        lower, upper, crs = read_box(element)
    except InvalidInput:
        return None
    return BoundingBoxValue(identifier, lower, upper, crs)
