"""Schema-valid WPS 1.0.0 documents of a provider, built from process descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree
from lxml.builder import ElementMaker

from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
)

WPS_NS = "http://www.opengis.net/wps/1.0.0"
OWS_NS = "http://www.opengis.net/ows/1.1"
XLINK = "http://www.w3.org/1999/xlink"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_NAMES = {"wps": WPS_NS, "ows": OWS_NS, "xlink": XLINK}
WPS = ElementMaker(namespace=WPS_NS, nsmap=_NAMES)
OWS = ElementMaker(namespace=OWS_NS, nsmap=_NAMES)
NONE = ElementMaker(nsmap=_NAMES)


@dataclass(frozen=True)
class Reference:
    """An output that the provider keeps at an address."""

    href: str
    media_type: str = ""


Output = str | bytes | Reference | etree._Element


def _bytes(element: Any) -> bytes:
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8")


def capabilities(url: str, processes: Iterable[ProcessDescription], title: str = "Fake") -> bytes:
    def operation(name: str) -> Any:
        http = OWS.HTTP(
            OWS.Get({f"{{{XLINK}}}href": f"{url}?"}), OWS.Post({f"{{{XLINK}}}href": url})
        )
        return OWS.Operation(OWS.DCP(http), name=name)

    names = ("GetCapabilities", "DescribeProcess", "Execute")
    offered = WPS.ProcessOfferings(*(WPS.Process(*_brief(p), **_version(p)) for p in processes))
    language = OWS.Language("en")
    root = WPS.Capabilities(
        OWS.ServiceIdentification(
            OWS.Title(title), OWS.ServiceType("WPS"), OWS.ServiceTypeVersion("1.0.0")
        ),
        OWS.ServiceProvider(OWS.ProviderName(title), OWS.ServiceContact()),
        OWS.OperationsMetadata(*(operation(name) for name in names)),
        offered,
        WPS.Languages(WPS.Default(language), WPS.Supported(OWS.Language("en"))),
        service="WPS",
        version="1.0.0",
        **{LANG: "en"},
    )
    return _bytes(root)


def descriptions(processes: Iterable[ProcessDescription]) -> bytes:
    root = WPS.ProcessDescriptions(
        *(_process(p) for p in processes), service="WPS", version="1.0.0", **{LANG: "en"}
    )
    return _bytes(root)


def exception_report(code: str, text: str, locator: str = "") -> bytes:
    exception = OWS.Exception(OWS.ExceptionText(text), exceptionCode=code)
    if locator:
        exception.set("locator", locator)
    return _bytes(OWS.ExceptionReport(exception, version="1.0.0"))


def execute_response(
    process: ProcessDescription,
    status: Any,
    *,
    base: str,
    location: str = "",
    outputs: Mapping[str, Output] | None = None,
) -> bytes:
    """`status` is an element such as `WPS.ProcessAccepted("…")`."""
    root = WPS.ExecuteResponse(
        WPS.Process(*_brief(process), **_version(process)),
        WPS.Status(status, creationTime="2026-03-02T10:15:00Z"),
        service="WPS",
        version="1.0.0",
        serviceInstance=f"{base}?service=WPS&request=GetCapabilities",
        **{LANG: "en"},
    )
    if location:
        root.set("statusLocation", location)
    if outputs:
        root.append(WPS.ProcessOutputs(*(_output(process, k, v) for k, v in outputs.items())))
    return _bytes(root)


def failed(text: str, code: str = "NoApplicableCode") -> Any:
    report = OWS.ExceptionReport(
        OWS.Exception(OWS.ExceptionText(text), exceptionCode=code), version="1.0.0"
    )
    return WPS.ProcessFailed(report)


def _brief(process: ProcessDescription) -> list[Any]:
    parts = [OWS.Identifier(process.identifier), OWS.Title(process.title or process.identifier)]
    return [*parts, OWS.Abstract(process.abstract)] if process.abstract else parts


def _version(process: ProcessDescription) -> dict[str, str]:
    return {f"{{{WPS_NS}}}processVersion": process.version or "1.0.0"}


def _process(process: ProcessDescription) -> Any:
    element = NONE.ProcessDescription(
        *_brief(process),
        storeSupported=str(process.store_supported).lower(),
        statusSupported=str(process.status_supported).lower(),
        **_version(process),
    )
    if process.inputs:
        element.append(NONE.DataInputs(*(_input(i) for i in process.inputs)))
    element.append(NONE.ProcessOutputs(*(_described_output(o) for o in process.outputs)))
    return element


def _input(given: InputDescription) -> Any:
    return NONE.Input(
        OWS.Identifier(given.identifier),
        OWS.Title(given.title or given.identifier),
        _domain(given.domain, "LiteralData", "ComplexData", "BoundingBoxData"),
        minOccurs=str(given.min_occurs),
        maxOccurs="unbounded" if given.max_occurs is None else str(given.max_occurs),
    )


def _described_output(given: OutputDescription) -> Any:
    return NONE.Output(
        OWS.Identifier(given.identifier),
        OWS.Title(given.title or given.identifier),
        _domain(given.domain, "LiteralOutput", "ComplexOutput", "BoundingBoxOutput"),
    )


def _domain(domain: Any, literal: str, document: str, box: str) -> Any:
    if isinstance(domain, LiteralDomain):
        return _literal(domain, literal)
    if isinstance(domain, ComplexDomain):
        formats = [_format(f) for f in domain.formats]
        default = NONE.Default(_format(domain.formats[0]))
        return NONE(document, default, NONE.Supported(*formats))
    assert isinstance(domain, BoundingBoxDomain)
    return NONE(
        box,
        NONE.Default(NONE.CRS(domain.crss[0])),
        NONE.Supported(*(NONE.CRS(name) for name in domain.crss)),
    )


def _format(given: Format) -> Any:
    element = NONE.Format(NONE.MimeType(given.media_type))
    if given.encoding:
        element.append(NONE.Encoding(given.encoding))
    if given.schema:
        element.append(NONE.Schema(given.schema))
    return element


def _literal(domain: LiteralDomain, name: str) -> Any:
    reference = f"http://www.w3.org/TR/xmlschema-2/#{domain.data_type}"
    element = NONE(name, OWS.DataType(domain.data_type, {f"{{{OWS_NS}}}reference": reference}))
    if domain.uoms:
        units = [OWS.UOM(unit) for unit in domain.uoms]
        element.append(NONE.UOMs(NONE.Default(OWS.UOM(domain.uoms[0])), NONE.Supported(*units)))
    if name == "LiteralOutput":
        return element
    allowed = OWS.AllowedValues(*(OWS.Value(v) for v in domain.allowed_values))
    for one in domain.ranges:
        limits = [OWS.MinimumValue(one.minimum)] if one.minimum is not None else []
        limits += [OWS.MaximumValue(one.maximum)] if one.maximum is not None else []
        allowed.append(OWS.Range(*limits, {f"{{{OWS_NS}}}rangeClosure": one.closure}))
    element.append(allowed if len(allowed) else OWS.AnyValue())
    if domain.default is not None:
        element.append(NONE.DefaultValue(domain.default))
    return element


def _output(process: ProcessDescription, identifier: str, value: Output) -> Any:
    known = process.output(identifier)
    title = known.title if known and known.title else identifier
    element = WPS.Output(OWS.Identifier(identifier), OWS.Title(title))
    if isinstance(value, Reference):
        attributes = {"mimeType": value.media_type} if value.media_type else {}
        element.append(WPS.Reference(href=value.href, **attributes))
        return element
    if isinstance(value, str):
        element.append(WPS.Data(WPS.LiteralData(value)))
        return element
    document = WPS.ComplexData()
    if isinstance(known and known.domain, ComplexDomain):
        document.set("mimeType", known.domain.formats[0].media_type)  # type: ignore[union-attr]
    if isinstance(value, bytes):
        document.text = value.decode()
    else:
        document.append(value)
    element.append(WPS.Data(document))
    return element
