"""Writing Execute requests that are valid against the WPS 1.0.0 schema (OGC 05-007r7 §10.2)."""

from __future__ import annotations

from collections.abc import Sequence

from common.ows import write_box
from common.xml import XLINK, E, Element, name, serialise
from providers.ows.values import fill, safe, set_format
from providers.process import (
    BoundingBoxValue,
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


def is_asynchronous(process: ProcessDescription) -> bool:
    """Whether the process can be followed: it stores its response and reports its status."""
    return process.store_supported and process.status_supported


def execute_document(process: ProcessDescription, request: ExecuteRequest) -> bytes:
    """The request as XML. Asynchronous where the process can, files by reference where it stores.

    Raises InvalidInput for a value that XML cannot carry.
    """
    root = E.wps.Execute(service="WPS", version="1.0.0")
    _identifier(root, request.process)
    if request.inputs:
        inputs = _sub(root, "DataInputs")
        for value in request.inputs:
            _input(inputs, value)
    wanted = request.outputs or tuple(OutputRequest(one.identifier) for one in process.outputs)
    if wanted:
        _response_document(_sub(root, "ResponseForm"), process, wanted)
    return serialise(root)


def _response_document(
    form: Element, process: ProcessDescription, outputs: Sequence[OutputRequest]
) -> None:
    document = _sub(form, "ResponseDocument")
    if is_asynchronous(process):
        document.set("storeExecuteResponse", "true")
        document.set("status", "true")
    for wanted in outputs:
        known = process.output(wanted.identifier)
        output = _sub(document, "Output")
        # A file inside the response cannot be streamed, and some servers paste it in unescaped.
        is_file = known is not None and isinstance(known.domain, ComplexDomain)
        if is_file and process.store_supported:
            output.set("asReference", "true")
        if is_file and wanted.format is not None:
            set_format(output, wanted.format)
        _identifier(output, wanted.identifier)


def _input(parent: Element, value: InputValue) -> None:
    element = _sub(parent, "Input")
    _identifier(element, value.identifier)
    if isinstance(value, ReferenceValue):
        reference = _sub(element, "Reference")
        reference.set(name(XLINK, "href"), safe(value.href, value.identifier))
        reference.set("method", "GET")
        set_format(reference, Format(value.media_type, value.encoding, value.schema))
        return
    data = _sub(element, "Data")
    if isinstance(value, LiteralValue):
        _literal(data, value)
    elif isinstance(value, ComplexValue):
        _complex(data, value)
    else:
        _bounding_box(data, value)


def _literal(data: Element, value: LiteralValue) -> None:
    literal = _sub(data, "LiteralData")
    literal.text = safe(value.value, value.identifier)
    if value.data_type:
        bare = value.data_type.rpartition(":")[2].rpartition("#")[2]
        literal.set("dataType", f"xs:{safe(bare, value.identifier)}")
    if value.uom:
        literal.set("uom", safe(value.uom, value.identifier))


def _complex(data: Element, value: ComplexValue) -> None:
    element = _sub(data, "ComplexData")
    set_format(element, Format(value.media_type, value.encoding, value.schema))
    fill(element, value)


def _bounding_box(data: Element, value: BoundingBoxValue) -> None:
    crs = safe(value.crs, value.identifier)
    write_box(_sub(data, "BoundingBoxData"), value.lower, value.upper, crs)


def _identifier(parent: Element, identifier: str) -> None:
    parent.append(E.ows.Identifier(safe(identifier, identifier)))


def _sub(parent: Element, local: str) -> Element:
    element = E.wps(local)
    parent.append(element)
    return element
