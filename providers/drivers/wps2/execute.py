"""Writing Execute requests that are valid against the WPS 2.0 schema (OGC 14-065 §9.6)."""

from __future__ import annotations

from lxml.builder import ElementMaker

from common.ows import write_box
from common.xml import OWS20, WPS2, XLINK, Element, name, serialise
from providers.ows.values import fill, safe, set_format
from providers.process import (
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputValue,
    LiteralValue,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)

_NAMES = {"wps": WPS2, "ows": OWS20, "xlink": XLINK}
_WPS = ElementMaker(namespace=WPS2, nsmap=_NAMES)
_OWS = ElementMaker(namespace=OWS20, nsmap=_NAMES)


def execute_document(process: ProcessDescription, request: ExecuteRequest) -> bytes:
    """The request as XML. Asynchronous where the process can, files by reference where it stores.

    Raises InvalidInput for a value that XML cannot carry.
    """
    mode = "async" if process.status_supported else "sync"
    # The standard's corrigenda keep this number too.
    root = _WPS.Execute(service="WPS", version="2.0.0", mode=mode, response="document")
    root.append(_OWS.Identifier(safe(request.process, request.process)))
    root.extend(_input(value) for value in request.inputs)
    wanted = request.outputs or tuple(OutputRequest(one.identifier) for one in process.outputs)
    root.extend(_output(process, one) for one in wanted)
    return serialise(root)


def _input(value: InputValue) -> Element:
    element = _WPS.Input(id=safe(value.identifier, value.identifier))
    element.append(_reference(value) if isinstance(value, ReferenceValue) else _data(value))
    return element


def _reference(value: ReferenceValue) -> Element:
    element = _WPS.Reference()
    element.set(name(XLINK, "href"), safe(value.href, value.identifier))
    set_format(element, Format(value.media_type, value.encoding, value.schema))
    return element


def _data(value: InputValue) -> Element:
    data = _WPS.Data()
    if isinstance(value, LiteralValue):
        literal = _WPS.LiteralValue(safe(value.value, value.identifier))
        if value.uom:
            literal.set("uom", safe(value.uom, value.identifier))
        data.append(literal)
    elif isinstance(value, ComplexValue):
        set_format(data, Format(value.media_type, value.encoding, value.schema))
        fill(data, value)
    elif not isinstance(value, ReferenceValue):
        crs = safe(value.crs, value.identifier)
        data.append(write_box(_OWS.BoundingBox(), value.lower, value.upper, crs, builder=_OWS))
    return data


def _output(process: ProcessDescription, wanted: OutputRequest) -> Element:
    known = process.output(wanted.identifier)
    # A file inside the answer cannot be streamed.
    is_file = known is not None and isinstance(known.domain, ComplexDomain)
    by_reference = is_file and process.store_supported
    element = _WPS.Output(
        id=safe(wanted.identifier, wanted.identifier),
        transmission="reference" if by_reference else "value",
    )
    if is_file and wanted.format is not None:
        set_format(element, wanted.format)
    return element
