"""DescribeProcess answers of WPS 2.0 (OGC 14-065 §8, §9.5).

What no other standard of the portal can say is no guess: a process with inputs inside inputs has a
problem instead of a description.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from common.xml import Element
from providers.addresses import foreign, without_own_addresses
from providers.literals import alternatives
from providers.ows.descriptions import (
    MOST_LISTED,
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
    root, repaired = read(data, endpoint, root="ProcessOfferings", version="2.0", repair=True)
    found: dict[str, ProcessDescription] = {}
    problems: dict[str, str] = {}
    warned: dict[str, str] = {}
    for offering in children(root, "ProcessOffering"):
        process = child(offering, "Process")
        identifier = text(process, "Identifier")
        if process is None or not usable(identifier):
            continue
        nested = _nested(process)
        if nested:
            problems[identifier] = _(
                "“%(name)s” has inputs or outputs inside it, which the portal cannot offer."
            ) % {"name": nested[:100]}
        else:
            warnings: list[str] = []
            found[identifier] = _process(offering, process, endpoint, warnings)
            if warnings:
                warned[identifier] = " ".join(warnings)
    return Descriptions(found, problems, warned, repaired=repaired)


def _nested(process: Element) -> str:
    """The first input or output that has others inside it."""
    for kind in ("Input", "Output"):
        for one in children(process, kind):
            if child(one, kind) is not None:
                return text(one, "Identifier") or kind
    return ""


def _process(
    offering: Element, process: Element, endpoint: Endpoint, warnings: list[str]
) -> ProcessDescription:
    options = _words(offering, process, "jobControlOptions")
    asynchronous = "async-execute" in options
    version = attribute(offering, "processVersion") or attribute(process, "processVersion")
    return ProcessDescription(
        **titles(process, text(process, "Identifier"), endpoint),
        version=without_own_addresses(version, endpoint),
        inputs=once([_input(one, endpoint) for one in children(process, "Input")], warnings),
        outputs=once([_output(one, endpoint) for one in children(process, "Output")], warnings),
        store_supported="reference" in _words(offering, process, "outputTransmission"),
        status_supported=asynchronous,
        sync_supported="sync-execute" in options or not asynchronous,
        dismiss_supported="dismiss" in options,
    )


def _words(offering: Element, process: Element, name: str) -> set[str]:
    """A list of words in an attribute, which some servers put on the process, or with commas."""
    said = attribute(offering, name) or attribute(process, name)
    return set(filter(None, re.split(r"[\s,]+", said.lower())))


def _input(element: Element, endpoint: Endpoint) -> InputDescription:
    low, high = occurrences(element)
    return InputDescription(
        domain=_domain(element, endpoint),
        min_occurs=low,
        max_occurs=high,
        **titles(element, text(element, "Identifier"), endpoint),
    )


def _output(element: Element, endpoint: Endpoint) -> OutputDescription:
    named = titles(element, text(element, "Identifier"), endpoint)
    return OutputDescription(domain=_domain(element, endpoint), **named)


def _domain(element: Element, endpoint: Endpoint) -> Domain:
    """What is no kind of data that is known is a plain text."""
    complex_data = child(element, "ComplexData")
    if complex_data is not None:
        return _complex(complex_data, endpoint)
    box = child(element, "BoundingBoxData")
    if box is not None:
        return _bounding_box(box, endpoint)
    literal = child(element, "LiteralData")
    # Some servers leave out the element around it.
    domains = _default_first(list(children(literal, "LiteralDataDomain"))) or [literal]
    return alternatives([_literal(one, endpoint) for one in domains[:MOST_LISTED]])


def _default_first(elements: list[Element]) -> list[Element]:
    return sorted(elements, key=lambda one: attribute(one, "default").lower() not in ("true", "1"))


def _complex(element: Element, endpoint: Endpoint) -> ComplexDomain:
    offered = _default_first(list(children(element, "Format")))
    formats = [
        format_of(
            attribute(one, "mimeType") or text(one, "MimeType"),
            attribute(one, "encoding") or text(one, "Encoding"),
            attribute(one, "schema") or text(one, "Schema"),
            endpoint,
        )
        for one in offered
    ]
    sizes = [megabytes(attribute(one, "maximumMegabytes")) for one in offered]
    return ComplexDomain(
        formats=tuple(dict.fromkeys(formats)) or ComplexDomain().formats,
        maximum_megabytes=next(filter(None, sizes), None),
    )


def _bounding_box(element: Element, endpoint: Endpoint) -> BoundingBoxDomain:
    offered = _default_first(list(children(element, "SupportedCRS")))
    named = (foreign(text(one) or attribute(one, "href"), endpoint) for one in offered)
    crss = dict.fromkeys(filter(None, named))
    return BoundingBoxDomain(tuple(crss)) if crss else BoundingBoxDomain()


def _literal(domain: Element | None, endpoint: Endpoint) -> LiteralDomain:
    kind, word = data_type(child(domain, "DataType"))
    values, ranges = allowed(child(domain, "AllowedValues"), word)
    default = child(domain, "DefaultValue")
    units = (uom(unit, endpoint) for unit in children(domain, "UOM"))
    return LiteralDomain(
        data_type=kind,
        allowed_values=values,
        ranges=ranges,
        default=text(default) if default is not None else None,
        uoms=tuple(dict.fromkeys(filter(None, units))),
        values_reference=values_reference(domain, endpoint),
    )
