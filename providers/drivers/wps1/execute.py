"""Writing Execute requests that are valid against the WPS 1.0.0 schema (OGC 05-007r7 §10.2)."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from common.ows import write_box
from common.xml import XLINK, E, Element, name, parse, serialise, text_ok
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
            _format(output, wanted.format)
        _identifier(output, wanted.identifier)


def _input(parent: Element, value: InputValue) -> None:
    element = _sub(parent, "Input")
    _identifier(element, value.identifier)
    if isinstance(value, ReferenceValue):
        reference = _sub(element, "Reference")
        reference.set(name(XLINK, "href"), _safe(value.href, value.identifier))
        reference.set("method", "GET")
        _format(reference, Format(value.media_type, value.encoding, value.schema))
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
    literal.text = _safe(value.value, value.identifier)
    if value.data_type:
        bare = value.data_type.rpartition(":")[2].rpartition("#")[2]
        literal.set("dataType", f"xs:{_safe(bare, value.identifier)}")
    if value.uom:
        literal.set("uom", _safe(value.uom, value.identifier))


def _complex(data: Element, value: ComplexValue) -> None:
    element = _sub(data, "ComplexData")
    _format(element, Format(value.media_type, value.encoding, value.schema))
    payload = _xml_payload(value)
    if payload is not None:
        element.append(payload)
    else:
        element.text = _safe(value.data, value.identifier)


def _xml_payload(value: ComplexValue) -> Element | None:
    """An XML document goes in as elements, the form that every server understands."""
    media_type = value.media_type.partition(";")[0].strip().lower()
    if value.encoding.lower() == "base64" or not media_type.endswith(("/xml", "+xml")):
        return None
    try:
        return parse(value.data.encode(), what=_("the value"))
    except (InvalidInput, UnicodeEncodeError):
        return None


def _bounding_box(data: Element, value: BoundingBoxValue) -> None:
    crs = _safe(value.crs, value.identifier)
    write_box(_sub(data, "BoundingBoxData"), value.lower, value.upper, crs)


def _format(element: Element, form: Format) -> None:
    named = (
        ("mimeType", form.media_type),
        ("encoding", form.encoding),
        ("schema", form.schema),
    )
    for attribute, value in named:
        if value:
            element.set(attribute, _safe(value, attribute))


def _identifier(parent: Element, identifier: str) -> None:
    parent.append(E.ows.Identifier(_safe(identifier, identifier)))


def _sub(parent: Element, local: str) -> Element:
    element = E.wps(local)
    parent.append(element)
    return element


def _safe(value: str, locator: str) -> str:
    if not text_ok(value):
        raise InvalidInput(_("The text has control characters in it."), locator=locator)
    return value
