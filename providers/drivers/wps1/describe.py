"""DescribeProcess answers of WPS 1.0.0 (OGC 05-007r7 §9)."""

from __future__ import annotations

from common.xml import Element
from providers.addresses import foreign, without_own_addresses
from providers.ows.descriptions import (
    allowed,
    data_type,
    format_of,
    megabytes,
    occurrences,
    once,
    titles,
    uom,
    usable,
    values_reference,
)
from providers.ows.documents import attribute, child, children, read, text
from providers.ports import Descriptions, Endpoint
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Domain,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
)


def parse_descriptions(data: bytes, endpoint: Endpoint) -> Descriptions:
    """The descriptions in a document, by process identifier.

    Raises ProviderNonsense, ProviderRefused.
    """
    root, repaired = read(data, endpoint, root="ProcessDescriptions", version="1.0.0", repair=True)
    found: dict[str, ProcessDescription] = {}
    warned: dict[str, str] = {}
    for element in children(root, "ProcessDescription"):
        identifier = text(element, "Identifier")
        if usable(identifier):
            warnings: list[str] = []
            found[identifier] = _process(element, identifier, endpoint, warnings)
            if warnings:
                warned[identifier] = " ".join(warnings)
    return Descriptions(found, warnings=warned, repaired=repaired)


def _process(
    element: Element, identifier: str, endpoint: Endpoint, warnings: list[str]
) -> ProcessDescription:
    inputs = [_input(one, endpoint) for one in children(child(element, "DataInputs"), "Input")]
    outputs = [
        _output(one, endpoint) for one in children(child(element, "ProcessOutputs"), "Output")
    ]
    return ProcessDescription(
        **titles(element, identifier, endpoint),
        version=without_own_addresses(attribute(element, "processVersion"), endpoint),
        inputs=once(inputs, warnings),
        outputs=once(outputs, warnings),
        store_supported=_flag(element, "storeSupported"),
        status_supported=_flag(element, "statusSupported"),
    )


def _flag(element: Element, name: str) -> bool:
    return attribute(element, name).lower() in ("true", "1")


def _input(element: Element, endpoint: Endpoint) -> InputDescription:
    low, high = occurrences(element)
    return InputDescription(
        domain=_domain(element, "Data", endpoint),
        min_occurs=low,
        max_occurs=high,
        **titles(element, text(element, "Identifier"), endpoint),
    )


def _output(element: Element, endpoint: Endpoint) -> OutputDescription:
    named = titles(element, text(element, "Identifier"), endpoint)
    return OutputDescription(domain=_domain(element, "Output", endpoint), **named)


def _domain(element: Element, suffix: str, endpoint: Endpoint) -> Domain:
    """`suffix` is Data for inputs and Output for outputs. What is neither is a plain text."""
    complex_data = child(element, f"Complex{suffix}")
    if complex_data is not None:
        return _complex(complex_data, endpoint)
    box = child(element, f"BoundingBox{suffix}")
    if box is not None:
        return _bounding_box(box, endpoint)
    return _literal(child(element, f"Literal{suffix}"), endpoint)


def _complex(element: Element, endpoint: Endpoint) -> ComplexDomain:
    listed = [
        format_of(
            text(one, "MimeType") or attribute(one, "mimeType"),
            text(one, "Encoding") or attribute(one, "encoding"),
            text(one, "Schema") or attribute(one, "schema"),
            endpoint,
        )
        for part in ("Default", "Supported")
        for one in children(child(element, part), "Format")
    ]
    return ComplexDomain(
        formats=tuple(dict.fromkeys(listed)) or ComplexDomain().formats,
        maximum_megabytes=megabytes(attribute(element, "maximumMegabytes")),
    )


def _bounding_box(element: Element, endpoint: Endpoint) -> BoundingBoxDomain:
    listed = [
        foreign(text(one) or attribute(one, "href"), endpoint)
        for part in ("Default", "Supported")
        for one in children(child(element, part), "CRS")
    ]
    crss = tuple(dict.fromkeys(filter(None, listed)))
    return BoundingBoxDomain(crss) if crss else BoundingBoxDomain()


def _literal(element: Element | None, endpoint: Endpoint) -> LiteralDomain:
    kind, word = data_type(child(element, "DataType"))
    values, ranges = allowed(child(element, "AllowedValues"), word)
    default = child(element, "DefaultValue")
    units = [
        uom(one, endpoint)
        for part in ("Default", "Supported")
        for one in children(child(element, "UOMs", part), "UOM")
    ]
    return LiteralDomain(
        data_type=kind,
        allowed_values=values,
        ranges=ranges,
        default=text(default) if default is not None else None,
        uoms=tuple(dict.fromkeys(filter(None, units))),
        values_reference=values_reference(element, endpoint),
    )
