"""The outputs in an ExecuteResponse (OGC 05-007r7 §10.3)."""

from __future__ import annotations

from common.xml import Element
from providers.addresses import public_value, without_own_addresses
from providers.ows.documents import child, children, log, text
from providers.ows.values import bounding_box, complex_value, literal, reference
from providers.ports import Endpoint
from providers.process import InputValue, OutputValue


def parse_outputs(response: Element, endpoint: Endpoint) -> tuple[OutputValue, ...]:
    """Every output that has a value; identifiers may repeat. What has none is passed over."""
    found = []
    for element in children(child(response, "ProcessOutputs"), "Output"):
        identifier = text(element, "Identifier")
        value = _value(element, identifier) if identifier else None
        if value is None:
            log.warning("provider.output_without_value", identifier=identifier[:200])
            continue
        found.append(
            OutputValue(
                public_value(value, endpoint),
                title=without_own_addresses(text(element, "Title"), endpoint),
                abstract=without_own_addresses(text(element, "Abstract"), endpoint),
            )
        )
    return tuple(found)


def _value(element: Element, identifier: str) -> InputValue | None:
    referred = child(element, "Reference")
    if referred is not None:
        return reference(referred, identifier, referred)
    data = child(element, "Data")
    complex_data = child(data, "ComplexData")
    if complex_data is not None:
        return complex_value(complex_data, identifier)
    box = child(data, "BoundingBoxData")
    if box is not None:
        return bounding_box(box, identifier)
    plain = child(data, "LiteralData")
    return literal(plain, identifier) if plain is not None else None
