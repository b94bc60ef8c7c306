"""Writes StatusInfo and Result, and values as documents of their own (14-065 §9.5, §9.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from common.ows import write_box
from common.xml import Element, only_xml, serialise
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    InputValue,
    LiteralValue,
    OutputValue,
    ReferenceValue,
)
from wps_proxy.elements import HREF, encoding_attributes, fill, uri
from wps_proxy.wps2.elements import OWS, WPS

XSD = "http://www.w3.org/2001/XMLSchema#"
XML = "text/xml"


@dataclass(frozen=True, slots=True)
class StatusInfo:
    """`status` is Accepted, Running, Succeeded, Failed or Dismissed; `expires` is when the results
    go, `next_poll` when it is worth to ask again."""

    job_id: str
    status: str
    expires: datetime | None = None
    next_poll: datetime | None = None
    percent: int | None = None


def status_info(info: StatusInfo) -> bytes:
    """The document."""
    root = WPS.StatusInfo(WPS.JobID(info.job_id), WPS.Status(info.status))
    if info.expires is not None:
        root.append(WPS.ExpirationDate(_time(info.expires)))
    if info.next_poll is not None:
        root.append(WPS.NextPoll(_time(info.next_poll)))
    if info.percent is not None:
        root.append(WPS.PercentCompleted(str(max(0, min(info.percent, 100)))))
    return serialise(root)


def result(
    outputs: Sequence[OutputValue], *, job_id: str = "", expires: datetime | None = None
) -> bytes:
    """The document; there is at least one output, and only what was run has a job."""
    root = WPS.Result()
    if job_id:
        root.append(WPS.JobID(job_id))
    if expires is not None:
        root.append(WPS.ExpirationDate(_time(expires)))
    root.extend(_output(one.identifier, one.value) for one in outputs)
    return serialise(root)


def value_document(value: InputValue) -> bytes | None:
    """A plain value or a box as a document of its own, for a raw answer; None for anything else."""
    if isinstance(value, LiteralValue):
        return serialise(_literal(value))
    if isinstance(value, BoundingBoxValue):
        return serialise(_box(value))
    return None


def _output(identifier: str, value: InputValue) -> Element:
    element = WPS.Output(id=uri(identifier))
    if isinstance(value, ReferenceValue):
        attributes = encoding_attributes(value.media_type, value.encoding, value.schema)
        element.append(WPS.Reference({HREF: uri(value.href), **attributes}))
    elif isinstance(value, ComplexValue):
        attributes = encoding_attributes(value.media_type, value.encoding, value.schema)
        element.append(fill(WPS.Data(attributes), value))
    else:
        inner = _literal(value) if isinstance(value, LiteralValue) else _box(value)
        element.append(WPS.Data(inner, mimeType=XML))
    return element


def _literal(value: LiteralValue) -> Element:
    bare = value.data_type.rpartition(":")[2].rpartition("#")[2]
    attributes = {"dataType": uri(f"{XSD}{bare}") if bare else "", "uom": uri(value.uom)}
    known = {name: content for name, content in attributes.items() if content}
    return WPS.LiteralValue(only_xml(value.value), known)


def _box(value: BoundingBoxValue) -> Element:
    return write_box(OWS.BoundingBox(), value.lower, value.upper, uri(value.crs), builder=OWS)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
