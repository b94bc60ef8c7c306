"""DescribeProcess answers of WPS 1.0.0 (OGC 05-007r7 §9)."""

from __future__ import annotations

import re
from typing import TypeVar

from common.xml import Element
from providers.addresses import foreign, without_own_addresses
from providers.drivers.wps1.documents import attribute, child, children, read, text
from providers.ports import Descriptions, Endpoint
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    DataType,
    Domain,
    Format,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
    ValueRange,
)

# Above this an input counts as unbounded; no form or request gets near it.
MOST_OCCURRENCES = 1000

_UNSIGNED = ("unsignedlong", "unsignedint", "unsignedshort", "unsignedbyte")
_SIGNS = {
    **dict.fromkeys(("nonnegativeinteger", *_UNSIGNED), ValueRange(minimum="0")),
    "positiveinteger": ValueRange(minimum="1"),
    "nonpositiveinteger": ValueRange(maximum="0"),
    "negativeinteger": ValueRange(maximum="-1"),
}
_TYPES: dict[str, DataType] = {
    "boolean": "boolean",
    "bool": "boolean",
    "date": "date",
    "datetime": "dateTime",
    "time": "time",
    "anyuri": "anyURI",
    "uri": "anyURI",
    **dict.fromkeys(("float", "double", "decimal", "number", "angle", "scale"), "double"),
    **dict.fromkeys(("integer", "int", "long", "short", "byte", "biginteger"), "integer"),
    **dict.fromkeys(_SIGNS, "integer"),
}
_CLOSURES = frozenset({"closed", "open", "open-closed", "closed-open"})

Put = TypeVar("Put", InputDescription, OutputDescription)


def parse_descriptions(data: bytes, endpoint: Endpoint) -> Descriptions:
    """The descriptions in a document, by process identifier.

    Raises ProviderNonsense, ProviderRefused.
    """
    root, repaired = read(data, endpoint, root="ProcessDescriptions", repair=True)
    found = {}
    for element in children(root, "ProcessDescription"):
        identifier = text(element, "Identifier")
        if identifier:
            found[identifier] = _process(element, identifier, endpoint)
    return Descriptions(found, repaired=repaired)


def _process(element: Element, identifier: str, endpoint: Endpoint) -> ProcessDescription:
    inputs = [_input(one, endpoint) for one in children(child(element, "DataInputs"), "Input")]
    outputs = [
        _output(one, endpoint) for one in children(child(element, "ProcessOutputs"), "Output")
    ]
    return ProcessDescription(
        **_titles(element, identifier, endpoint),
        version=attribute(element, "processVersion"),
        inputs=_once(inputs),
        outputs=_once(outputs),
        store_supported=_flag(element, "storeSupported"),
        status_supported=_flag(element, "statusSupported"),
    )


def _titles(element: Element, identifier: str, endpoint: Endpoint) -> dict[str, str]:
    return {
        "identifier": identifier,
        "title": without_own_addresses(text(element, "Title"), endpoint) or identifier,
        "abstract": without_own_addresses(text(element, "Abstract"), endpoint),
    }


def _once(found: list[Put]) -> tuple[Put, ...]:
    """The first of each identifier: some centres offer one input twice, in two types."""
    by_identifier: dict[str, Put] = {}
    for one in found:
        if one.identifier:
            by_identifier.setdefault(one.identifier, one)
    return tuple(by_identifier.values())


def _flag(element: Element, name: str) -> bool:
    return attribute(element, name).lower() in ("true", "1")


def _input(element: Element, endpoint: Endpoint) -> InputDescription:
    low = _occurs(attribute(element, "minOccurs"))
    high = attribute(element, "maxOccurs").lower()
    most = None if high == "unbounded" else max(_occurs(high), low, 1)
    return InputDescription(
        domain=_domain(element, "Data", endpoint),
        min_occurs=min(low, MOST_OCCURRENCES),
        max_occurs=None if most is None or most > MOST_OCCURRENCES else most,
        **_titles(element, text(element, "Identifier"), endpoint),
    )


def _output(element: Element, endpoint: Endpoint) -> OutputDescription:
    titles = _titles(element, text(element, "Identifier"), endpoint)
    return OutputDescription(domain=_domain(element, "Output", endpoint), **titles)


def _occurs(number: str) -> int:
    """A count of occurrences; 1 when it is missing or no number, as the standard's habit is."""
    return int(number) if re.fullmatch(r"\d{1,18}", number, re.ASCII) else 1


def _domain(element: Element, suffix: str, endpoint: Endpoint) -> Domain:
    """`suffix` is Data for inputs and Output for outputs. What is neither is a plain text."""
    complex_data = child(element, f"Complex{suffix}")
    if complex_data is not None:
        return _complex(complex_data, endpoint)
    box = child(element, f"BoundingBox{suffix}")
    if box is not None:
        return _bounding_box(box)
    return _literal(child(element, f"Literal{suffix}"))


def _complex(element: Element, endpoint: Endpoint) -> ComplexDomain:
    listed = [
        Format(
            text(one, "MimeType") or attribute(one, "mimeType") or "application/octet-stream",
            _encoding(text(one, "Encoding") or attribute(one, "encoding")),
            foreign(text(one, "Schema") or attribute(one, "schema"), endpoint),
        )
        for part in ("Default", "Supported")
        for one in children(child(element, part), "Format")
    ]
    megabytes = attribute(element, "maximumMegabytes")
    return ComplexDomain(
        formats=tuple(dict.fromkeys(listed)) or ComplexDomain().formats,
        maximum_megabytes=int(megabytes) if re.fullmatch(r"\d{1,9}", megabytes, re.ASCII) else None,
    )


def _encoding(word: str) -> str:
    return "base64" if word.lower() == "base64" else word


def _bounding_box(element: Element) -> BoundingBoxDomain:
    listed = [
        text(one) or attribute(one, "href")
        for part in ("Default", "Supported")
        for one in children(child(element, part), "CRS")
    ]
    crss = tuple(dict.fromkeys(filter(None, listed)))
    return BoundingBoxDomain(crss) if crss else BoundingBoxDomain()


def _literal(element: Element | None) -> LiteralDomain:
    data_type, word = _data_type(child(element, "DataType"))
    allowed = child(element, "AllowedValues")
    values = (text(one) for one in children(allowed, "Value"))
    ranges = tuple(_range(one) for one in children(allowed, "Range"))
    listed = tuple(dict.fromkeys(value for value in values if value))
    if not ranges and not listed and word in _SIGNS:
        ranges = (_SIGNS[word],)
    default = child(element, "DefaultValue")
    return LiteralDomain(
        data_type=data_type,
        allowed_values=listed,
        ranges=ranges,
        default=text(default) if default is not None else None,
        uoms=_uoms(child(element, "UOMs")),
    )


def _data_type(element: Element | None) -> tuple[DataType, str]:
    """XSD names stand in URIs, URNs, with a prefix or bare: the last word of either spelling."""
    for spelling in (attribute(element, "reference"), text(element)):
        words = re.findall(r"[A-Za-z]+", spelling)
        if words and words[-1].lower() in _TYPES:
            return _TYPES[words[-1].lower()], words[-1].lower()
    return "string", "string"


def _range(element: Element) -> ValueRange:
    closure = attribute(element, "rangeClosure")
    return ValueRange(
        minimum=text(element, "MinimumValue") or None,
        maximum=text(element, "MaximumValue") or None,
        closure=closure if closure in _CLOSURES else "closed",
        spacing=text(element, "Spacing") or None,
    )


def _uoms(element: Element | None) -> tuple[str, ...]:
    listed = [
        text(one) or re.split(r"[/#:]", attribute(one, "reference"))[-1]
        for part in ("Default", "Supported")
        for one in children(child(element, part), "UOM")
    ]
    return tuple(dict.fromkeys(filter(None, listed)))
