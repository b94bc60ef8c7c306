"""Writes ProcessOfferings (14-065 §7, §9.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from common.xml import OWS20, Element, name, only_xml, serialise
from providers.literals import kinds
from providers.process import (
    ComplexDomain,
    Domain,
    Format,
    InputDescription,
    LiteralDomain,
    Metadata,
    OutputDescription,
    ProcessDescription,
    ValueRange,
)
from wps_proxy.domains import json_notes, sayable
from wps_proxy.elements import LANG, boolean, media_type, uri
from wps_proxy.wps2.elements import OWS, PLAIN, WPS, described, properties

REFERENCE = name(OWS20, "reference")
CLOSURE = name(OWS20, "rangeClosure")
XSD = "http://www.w3.org/2001/XMLSchema#"
XML, TEXT = "text/xml", "text/plain"


def offerings(processes: Sequence[ProcessDescription], *, language: str) -> bytes:
    """The document."""
    return serialise(WPS.ProcessOfferings(*(_offering(one, language) for one in processes)))


def describable(process: ProcessDescription) -> bool:
    """Whether the schema has a way to say it: a process needs an output."""
    return bool(process.outputs)


def _offering(process: ProcessDescription, language: str) -> Element:
    element = WPS.Process(
        *described(
            process.identifier,
            process.title,
            process.abstract,
            process.keywords,
            process.metadata,
        ),
        *map(_input, process.inputs),
        *map(_output, process.outputs),
        {LANG: language},
    )
    return WPS.ProcessOffering(element, properties(process.version))


def _input(given: InputDescription) -> Element:
    most = "unbounded" if given.max_occurs is None else str(max(given.max_occurs, 1))
    return WPS.Input(
        *_parts(given), _domain(given.domain), minOccurs=str(given.min_occurs), maxOccurs=most
    )


def _output(given: OutputDescription) -> Element:
    return WPS.Output(*_parts(given), _domain(given.domain))


def _parts(given: InputDescription | OutputDescription) -> Iterator[Element]:
    notes = (Metadata(title=note) for note in json_notes(given.domain))
    return described(
        given.identifier, given.title, given.abstract, given.keywords, (*given.metadata, *notes)
    )


def _domain(domain: Domain) -> Element:
    if isinstance(domain, LiteralDomain):
        # A wps:LiteralValue, or the bare text.
        formats = [_format(Format(XML), default=True), _format(Format(TEXT))]
        return WPS.LiteralData(*formats, *_literals(domain))
    if isinstance(domain, ComplexDomain):
        return WPS.ComplexData(*_formats(domain))
    known = [WPS.SupportedCRS(uri(one)) for one in domain.crss]
    known[0].set("default", boolean(True))
    return WPS.BoundingBoxData(_format(Format(XML), default=True), *known)


def _literals(domain: LiteralDomain) -> Iterator[Element]:
    """One domain for each kind and unit, the first of which is the default and has the default
    value."""
    every = ((one, unit) for one in kinds(domain) for unit in one.uoms or ("",))
    for number, (one, unit) in enumerate(every):
        element = PLAIN.LiteralDataDomain(
            _allowed(one), OWS.DataType(one.data_type, {REFERENCE: f"{XSD}{one.data_type}"})
        )
        if unit:
            element.append(OWS.UOM(only_xml(unit)))
        if number == 0:
            element.set("default", boolean(True))
            if one.default is not None:
                element.append(OWS.DefaultValue(only_xml(one.default)))
        yield element


def _allowed(domain: LiteralDomain) -> Element:
    if domain.allowed_values or domain.ranges:
        values = [OWS.Value(only_xml(one)) for one in domain.allowed_values]
        return OWS.AllowedValues(*values, *map(_range, domain.ranges))
    if domain.values_reference:
        return OWS.ValuesReference({REFERENCE: uri(domain.values_reference)})
    return OWS.AnyValue()


def _range(one: ValueRange) -> Element:
    limits = [
        element(only_xml(value))
        for element, value in (
            (OWS.MinimumValue, one.minimum),
            (OWS.MaximumValue, one.maximum),
            (OWS.Spacing, one.spacing),
        )
        if value is not None
    ]
    return OWS.Range(*limits, {CLOSURE: one.closure})


def _formats(domain: ComplexDomain) -> Iterator[Element]:
    for number, form in enumerate(sayable(domain)):
        element = _format(form, default=number == 0)
        if domain.maximum_megabytes:
            element.set("maximumMegabytes", str(domain.maximum_megabytes))
        yield element


def _format(given: Format, *, default: bool = False) -> Element:
    told = {
        "mimeType": media_type(given.media_type),
        "encoding": uri(given.encoding),
        "schema": uri(given.schema),
        "default": boolean(True) if default else "",
    }
    return WPS.Format({name: value for name, value in told.items() if value})
