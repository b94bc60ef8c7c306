"""Clients' requests, written from the portal's own words: the other side of what is parsed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, quote_plus

from lxml import etree

from common.xml import SOAP12
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    ExecuteRequest,
    Format,
    InputValue,
    LiteralValue,
    OutputRequest,
    ReferenceValue,
)
from wps_proxy.wps1.requests import Execute

WPS = "{http://www.opengis.net/wps/1.0.0}"
OWS = "{http://www.opengis.net/ows/1.1}"
WPS2 = "{http://www.opengis.net/wps/2.0}"
OWS2 = "{http://www.opengis.net/ows/2.0}"
HREF = "{http://www.w3.org/1999/xlink}href"


def to_xml(wanted: Execute) -> bytes:
    root = etree.Element(f"{WPS}Execute", service="WPS", version="1.0.0")
    _add(root, f"{OWS}Identifier", wanted.request.process)
    if wanted.request.inputs:
        inputs = _add(root, f"{WPS}DataInputs")
        for value in wanted.request.inputs:
            _input(_add(inputs, f"{WPS}Input"), value)
    form = _add(root, f"{WPS}ResponseForm")
    if wanted.form.raw:
        _output(_add(form, f"{WPS}RawDataOutput"), wanted.request.outputs[0])
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    document = _add(form, f"{WPS}ResponseDocument")
    document.set("storeExecuteResponse", str(wanted.form.store).lower())
    document.set("status", str(wanted.form.status).lower())
    document.set("lineage", str(wanted.form.lineage).lower())
    for output in wanted.request.outputs:
        _output(_add(document, f"{WPS}Output"), output)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _add(parent: Any, tag: str, text: str | None = None) -> Any:
    element = etree.SubElement(parent, tag)
    element.text = text
    return element


def _input(element: Any, value: InputValue) -> None:
    _add(element, f"{OWS}Identifier", value.identifier)
    if isinstance(value, ReferenceValue):
        reference = _add(element, f"{WPS}Reference")
        reference.set(HREF, value.href)
        _format(reference, value)
        return
    data = _add(element, f"{WPS}Data")
    if isinstance(value, LiteralValue):
        literal = _add(data, f"{WPS}LiteralData", value.value)
        _set(literal, dataType=value.data_type, uom=value.uom)
    elif isinstance(value, ComplexValue):
        _format(_add(data, f"{WPS}ComplexData", value.data), value)
    else:
        box = _add(data, f"{WPS}BoundingBoxData")
        _set(box, crs=value.crs, dimensions=str(len(value.lower)))
        for name, corner in (("LowerCorner", value.lower), ("UpperCorner", value.upper)):
            _add(box, f"{OWS}{name}", " ".join(map(repr, corner)))


def _output(element: Any, wanted: OutputRequest) -> None:
    _add(element, f"{OWS}Identifier", wanted.identifier)
    if wanted.as_reference:
        element.set("asReference", "true")
    if wanted.format:
        _format(element, wanted.format)


def _format(element: Any, value: Format | ComplexValue | ReferenceValue) -> None:
    _set(element, mimeType=value.media_type, encoding=value.encoding, schema=value.schema)


def _set(element: Any, **attributes: str) -> None:
    for name, value in attributes.items():
        if value:
            element.set(name, value)


# --- WPS 2.0 and envelopes -------------------------------------------------------------------


def to_xml2(wanted: ExecuteRequest, *, mode: str = "sync", response: str = "document") -> bytes:
    root = etree.Element(f"{WPS2}Execute", service="WPS", version="2.0.0")
    _set(root, mode=mode, response=response)
    _add(root, f"{OWS2}Identifier", wanted.process)
    for value in wanted.inputs:
        _input2(_add(root, f"{WPS2}Input"), value)
    for output in wanted.outputs:
        element = _add(root, f"{WPS2}Output")
        _set(element, id=output.identifier)
        element.set("transmission", "reference" if output.as_reference else "value")
        if output.format:
            _format(element, output.format)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _input2(element: Any, value: InputValue) -> None:
    _set(element, id=value.identifier)
    if isinstance(value, ReferenceValue):
        reference = _add(element, f"{WPS2}Reference")
        reference.set(HREF, value.href)
        _format(reference, value)
        return
    data = _add(element, f"{WPS2}Data")
    if isinstance(value, LiteralValue):
        literal = _add(data, f"{WPS2}LiteralValue", value.value)
        _set(literal, dataType=value.data_type, uom=value.uom)
    elif isinstance(value, ComplexValue):
        data.text = value.data
        _format(data, value)
    else:
        box = _add(data, f"{OWS2}BoundingBox")
        _set(box, crs=value.crs, dimensions=str(len(value.lower)))
        for name, corner in (("LowerCorner", value.lower), ("UpperCorner", value.upper)):
            _add(box, f"{OWS2}{name}", " ".join(map(repr, corner)))


def of_job(operation: str, job_id: str) -> bytes:
    """GetStatus, GetResult or Dismiss."""
    root = etree.Element(f"{WPS2}{operation}", service="WPS", version="2.0.0")
    _add(root, f"{WPS2}JobID", job_id)
    return etree.tostring(root)


def in_envelope(document: bytes | str, namespace: str = SOAP12, header: str = "") -> bytes:
    text = document if isinstance(document, str) else document.decode()
    inner = text.partition("?>")[2] if text.startswith("<?xml") else text
    return (
        f'<e:Envelope xmlns:e="{namespace}">{header}<e:Body>{inner}</e:Body></e:Envelope>'
    ).encode()


# --- key-value pairs -------------------------------------------------------------------------


def to_query(wanted: Execute) -> str:
    """A query string: values are encoded once inside their parameter, then all of it once more."""
    parameters = {
        "Service": "WPS",
        "VERSION": "1.0.0",
        "request": "Execute",
        "Identifier": wanted.request.process,
        "DataInputs": ";".join(map(_input_item, wanted.request.inputs)),
    }
    outputs = ";".join(map(_output_item, wanted.request.outputs))
    parameters["RawDataOutput" if wanted.form.raw else "ResponseDocument"] = outputs
    if not wanted.form.raw:
        parameters["storeExecuteResponse"] = str(wanted.form.store).lower()
        parameters["status"] = str(wanted.form.status).lower()
        parameters["lineage"] = str(wanted.form.lineage).lower()
    return "&".join(f"{name}={quote_plus(value)}" for name, value in parameters.items())


def _input_item(value: InputValue) -> str:
    name = quote(value.identifier, safe="")
    if isinstance(value, LiteralValue):
        shown = {"datatype": value.data_type, "uom": value.uom}
        return f"{name}={quote(value.value, safe='')}" + _attributes(shown)
    if isinstance(value, BoundingBoxValue):
        numbers = ",".join(map(repr, (*value.lower, *value.upper)))
        crs = f",{value.crs},{len(value.lower)}" if value.crs else ""
        return f"{name}={quote(numbers + crs, safe=',:')}"
    if isinstance(value, ReferenceValue):
        return f"{name}=" + _attributes({"xlink:href": value.href, **_form(value)})
    return f"{name}={quote(value.data, safe='')}" + _attributes(_form(value))


def _output_item(wanted: OutputRequest) -> str:
    shown = {"asReference": "true"} if wanted.as_reference else {}
    form = _form(wanted.format) if wanted.format else {}
    return quote(wanted.identifier, safe="") + _attributes({**form, **shown})


def _form(value: Format | ComplexValue | ReferenceValue) -> dict[str, str]:
    return {"mimeType": value.media_type, "encoding": value.encoding, "schema": value.schema}


def _attributes(shown: dict[str, str]) -> str:
    return "".join(f"@{name}={quote(value, safe='')}" for name, value in shown.items() if value)
