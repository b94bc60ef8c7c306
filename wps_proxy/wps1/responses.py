"""Writes ExecuteResponse, also as the status document (05-007r7 §10.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from common.ows import write_box
from common.xml import E, Element, only_xml, serialise
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    ExecuteRequest,
    InputValue,
    LiteralValue,
    OutputRequest,
    OutputValue,
    ProcessSummary,
    ReferenceValue,
)
from wps_proxy.elements import HREF, LANG, boolean, encoding_attributes, fill, uri
from wps_proxy.negotiation import SERVICE
from wps_proxy.wps1.elements import brief, process_version
from wps_proxy.wps1.requests import VERSION

MOST_PERCENT = 99  # 100 is said by ProcessSucceeded


@dataclass(frozen=True, slots=True)
class Status:
    """`word` is one of ProcessAccepted, ProcessStarted, ProcessPaused, ProcessSucceeded,
    ProcessFailed; `at` the end of the run, or the time of this document."""

    word: str
    at: datetime
    text: str = ""
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class ExecuteResponse:
    """`outputs` hold values, or references that lead to the portal. `lineage` is the request, told
    back where the client wanted that; it then names at least one output."""

    service_instance: str
    process: ProcessSummary
    status: Status
    language: str
    status_location: str = ""
    outputs: tuple[OutputValue, ...] = ()
    lineage: ExecuteRequest | None = None


def execute_response(response: ExecuteResponse) -> bytes:
    """The document."""
    process = response.process
    root = E.wps.ExecuteResponse(
        E.wps.Process(
            *brief(process.identifier, process.title, process.abstract),
            process_version(process.version),
        ),
        _status(response.status),
        {
            "service": SERVICE,
            "version": VERSION,
            LANG: response.language,
            "serviceInstance": response.service_instance,
        },
    )
    if response.status_location:
        root.set("statusLocation", response.status_location)
    if response.lineage is not None:
        if response.lineage.inputs:
            root.append(E.wps.DataInputs(*map(_input, response.lineage.inputs)))
        root.append(E.wps.OutputDefinitions(*map(_definition, response.lineage.outputs)))
    if response.outputs:
        root.append(E.wps.ProcessOutputs(*map(_output, response.outputs)))
    return serialise(root)


def bounding_box(value: BoundingBoxValue) -> bytes:
    """A box as a document of its own, for a raw answer."""
    return serialise(write_box(E.ows.BoundingBox(), value.lower, value.upper, uri(value.crs)))


def _status(status: Status) -> Element:
    if status.word == "ProcessFailed":
        told = E.wps.ProcessFailed(_report(status.text))
    else:
        told = E.wps(status.word, only_xml(status.text))
    if status.percent is not None and status.word in ("ProcessStarted", "ProcessPaused"):
        told.set("percentCompleted", str(max(0, min(status.percent, MOST_PERCENT))))
    at = status.at.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    return E.wps.Status(told, creationTime=at)


def _report(text: str) -> Element:
    """Why a run failed, as the schema wants it inside the status."""
    exception = E.ows.Exception(
        E.ows.ExceptionText(only_xml(text)), exceptionCode="NoApplicableCode"
    )
    return E.ows.ExceptionReport(exception, version=VERSION)


# --- values ----------------------------------------------------------------------------------


def _input(value: InputValue) -> Element:
    element = E.wps.Input(E.ows.Identifier(only_xml(value.identifier)))
    if isinstance(value, ReferenceValue):
        attributes = encoding_attributes(value.media_type, value.encoding, value.schema)
        element.append(E.wps.Reference({HREF: uri(value.href), **attributes}))
    else:
        element.append(E.wps.Data(_data(value)))
    return element


def _output(output: OutputValue) -> Element:
    value = output.value
    element = E.wps.Output(*brief(output.identifier, output.title, output.abstract))
    if isinstance(value, ReferenceValue):
        attributes = encoding_attributes(value.media_type, value.encoding, value.schema)
        # Here, unlike in a request, the attribute is in no namespace.
        element.append(E.wps.Reference({"href": uri(value.href), **attributes}))
    else:
        element.append(E.wps.Data(_data(value)))
    return element


def _data(value: LiteralValue | ComplexValue | BoundingBoxValue) -> Element:
    if isinstance(value, LiteralValue):
        attributes = {"dataType": uri(_xs(value.data_type)), "uom": uri(value.uom)}
        known = {name: content for name, content in attributes.items() if content}
        return E.wps.LiteralData(only_xml(value.value), known)
    if isinstance(value, BoundingBoxValue):
        return write_box(E.wps.BoundingBoxData(), value.lower, value.upper, uri(value.crs))
    return _complex(value)


def _xs(data_type: str) -> str:
    """The portal's names of types are XML Schema's."""
    return f"xs:{data_type}" if data_type and ":" not in data_type else data_type


def _complex(value: ComplexValue) -> Element:
    attributes = encoding_attributes(value.media_type, value.encoding, value.schema)
    return fill(E.wps.ComplexData(attributes), value)


def _definition(output: OutputRequest) -> Element:
    form = output.format
    attributes = encoding_attributes(form.media_type, form.encoding, form.schema) if form else {}
    return E.wps.Output(
        E.ows.Identifier(only_xml(output.identifier)),
        {"asReference": boolean(output.as_reference), **attributes},
    )
