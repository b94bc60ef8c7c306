"""Writes ProcessDescriptions (05-007r7 §9.3)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from common.xml import OWS11, E, Element, name, only_xml, serialise
from providers.literals import union
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
    ValueRange,
)
from wps_proxy.domains import json_notes, sayable
from wps_proxy.elements import LANG, boolean, media_type, uri
from wps_proxy.negotiation import SERVICE
from wps_proxy.wps1.elements import brief, more, process_version
from wps_proxy.wps1.requests import VERSION

REFERENCE = name(OWS11, "reference")
CLOSURE = name(OWS11, "rangeClosure")
XSD = "http://www.w3.org/TR/xmlschema-2/#"


def descriptions(
    processes: Sequence[ProcessDescription], *, language: str, most_values: int
) -> bytes:
    """The document; an unbounded input, which the schema does not know, takes `most_values`.

    Store and status are always offered: the portal keeps and updates the document, whatever the
    provider can do.
    """
    root = E.wps.ProcessDescriptions(
        *(_process(one, most_values) for one in processes),
        {"service": SERVICE, "version": VERSION, LANG: language},
    )
    return serialise(root)


def describable(process: ProcessDescription) -> bool:
    """Whether the schema has a way to say it: a process needs an output."""
    return bool(process.outputs)


def _process(process: ProcessDescription, most_values: int) -> Element:
    element = E.plain.ProcessDescription(
        *brief(process.identifier, process.title, process.abstract),
        *more(process.keywords, process.metadata),
        {
            **process_version(process.version),
            "storeSupported": boolean(True),
            "statusSupported": boolean(True),
        },
    )
    if process.inputs:
        element.append(E.plain.DataInputs(*(_input(one, most_values) for one in process.inputs)))
    element.append(E.plain.ProcessOutputs(*map(_output, process.outputs)))
    return element


def _input(given: InputDescription, most_values: int) -> Element:
    most = most_values if given.max_occurs is None else max(given.max_occurs, 1)
    return E.plain.Input(
        *brief(given.identifier, given.title, given.abstract),
        *more(given.keywords, given.metadata, _notes(given)),
        _input_domain(given.domain),
        minOccurs=str(given.min_occurs),
        maxOccurs=str(most),
    )


def _notes(given: InputDescription) -> tuple[str, ...]:
    unbounded = (_("Any number of values is taken."),) if given.max_occurs is None else ()
    return (*json_notes(given.domain), *unbounded)


def _input_domain(domain: LiteralDomain | ComplexDomain | BoundingBoxDomain) -> Element:
    if isinstance(domain, LiteralDomain):
        domain = union(domain)  # the schema knows only one
        element = _literal("LiteralData", domain)
        element.append(_allowed(domain))
        if domain.default is not None:
            element.append(E.plain.DefaultValue(only_xml(domain.default)))
        return element
    if isinstance(domain, ComplexDomain):
        element = _complex("ComplexData", domain)
        if domain.maximum_megabytes is not None:
            element.set("maximumMegabytes", str(domain.maximum_megabytes))
        return element
    return _boxes("BoundingBoxData", domain)


def _output(given: OutputDescription) -> Element:
    domain = given.domain
    if isinstance(domain, LiteralDomain):
        kind = _literal("LiteralOutput", union(domain))
    elif isinstance(domain, ComplexDomain):
        kind = _complex("ComplexOutput", domain)
    else:
        kind = _boxes("BoundingBoxOutput", domain)
    return E.plain.Output(
        *brief(given.identifier, given.title, given.abstract),
        *more(given.keywords, given.metadata, json_notes(domain)),
        kind,
    )


def _literal(tag: str, domain: LiteralDomain) -> Element:
    """Type and units, common to inputs and outputs."""
    data_type = E.ows.DataType(domain.data_type, {REFERENCE: f"{XSD}{domain.data_type}"})
    element = E.plain(tag, data_type)
    if domain.uoms:
        units = [E.ows.UOM(only_xml(one)) for one in domain.uoms]
        default = E.plain.Default(E.ows.UOM(only_xml(domain.uoms[0])))
        element.append(E.plain.UOMs(default, E.plain.Supported(*units)))
    return element


def _allowed(domain: LiteralDomain) -> Element:
    if not (domain.allowed_values or domain.ranges):
        if domain.values_reference:
            return E.plain.ValuesReference({REFERENCE: uri(domain.values_reference)})
        return E.ows.AnyValue()
    values = [E.ows.Value(only_xml(one)) for one in domain.allowed_values]
    return E.ows.AllowedValues(*values, *map(_range, domain.ranges))


def _range(one: ValueRange) -> Element:
    limits = [
        element(only_xml(value))
        for element, value in (
            (E.ows.MinimumValue, one.minimum),
            (E.ows.MaximumValue, one.maximum),
            (E.ows.Spacing, one.spacing),
        )
        if value is not None
    ]
    return E.ows.Range(*limits, {CLOSURE: one.closure})


def _complex(tag: str, domain: ComplexDomain) -> Element:
    """Formats whose media type the schema does not allow cannot be said."""
    known = sayable(domain)
    return E.plain(
        tag,
        E.plain.Default(_format(known[0])),
        E.plain.Supported(*map(_format, known)),
    )


def _format(given: Format) -> Element:
    element = E.plain.Format(E.plain.MimeType(media_type(given.media_type)))
    if given.encoding:
        element.append(E.plain.Encoding(uri(given.encoding)))
    if given.schema:
        element.append(E.plain.Schema(uri(given.schema)))
    return element


def _boxes(tag: str, domain: BoundingBoxDomain) -> Element:
    known = [uri(one) for one in domain.crss]
    supported = E.plain.Supported(*(E.plain.CRS(one) for one in known))
    return E.plain(tag, E.plain.Default(E.plain.CRS(known[0])), supported)
