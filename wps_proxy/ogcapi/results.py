"""What a job gave (18-062r2 §7.13, results.yaml): as one document, as it is, as parts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from common.errors import Conflict, NotFound, ProviderError
from jobs.downloads import content_type, download, make_harmless
from jobs.json_values import json_or_text
from jobs.models import Job, JobOutput
from jobs.outputs import open_output
from providers.literals import union
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    InputValue,
    LiteralDomain,
    LiteralValue,
    ReferenceValue,
)
from wps_proxy.ogcapi.answers import as_json
from wps_proxy.ogcapi.place import JSON, Place, link
from wps_proxy.ogcapi.problems import ResultNotReady
from wps_proxy.ogcapi.schemas import crs_uri, is_json, typed
from wps_proxy.ogcapi.status import DISMISSED, FAILED, SUCCESSFUL, message_of, word_of
from wps_proxy.results import outputs_of


def must_be_successful(job: Job) -> None:
    """Raises ResultNotReady before the end; ProviderError (what went wrong) or Conflict when there
    is nothing to come."""
    word = word_of(job)
    if word == FAILED:
        raise ProviderError(message_of(job))
    if word == DISMISSED:
        raise Conflict(_("The job was dismissed; it has no results."))
    if word != SUCCESSFUL:
        raise ResultNotReady(_("The job is not at its end yet."))


def results_document(place: Place, job: Job) -> dict[str, Any]:
    """By output: its value, its value with a format, or a link; an array where it came repeatedly.

    Files of the provider may be read for it. What is large, or not to be had at the moment, is a
    link whatever was asked for.
    """
    document: dict[str, Any] = {}
    repeated: set[str] = set()
    for output in outputs_of(job, place.output, plain_by_reference=True):
        name, value = output.identifier, _value(job, output.value, output.title)
        if name in repeated:
            document[name].append(value)
        elif name in document:
            document[name] = [document[name], value]
            repeated.add(name)
        else:
            document[name] = value
    return document


def raw_results(place: Place, job: Job) -> HttpResponseBase:
    """The bare outputs: one by value as it is, several as parts, by reference as links alone."""
    asked = {one.identifier: one.as_reference for one in job.request().outputs}
    outputs = [one for one in job.given_outputs if not asked or one.identifier in asked]
    for one in outputs:
        one.job = job
    if all(asked.get(one.identifier, False) for one in outputs):
        return _links(place, outputs)
    if len(outputs) == 1:
        return one_output(place.request, outputs[0])
    by_value = {one.pk for one in outputs if not asked.get(one.identifier, False)}
    boundary = uuid.uuid4().hex
    response = StreamingHttpResponse(
        _parts(place, outputs, by_value, boundary),
        content_type=f'multipart/related; boundary="{boundary}"',
    )
    make_harmless(response, "inline")
    return response


def one_output(request: HttpRequest, output: JobOutput) -> HttpResponseBase:
    """The bare output; a Range is passed on. A box is a JSON document. Raises ProviderError."""
    value = output.value
    if isinstance(value, BoundingBoxValue):
        response = as_json(_box(value))
        make_harmless(response, "inline")
        return response
    return download(request, output)


def _links(place: Place, outputs: list[JobOutput]) -> HttpResponse:
    response = HttpResponse(status=204)
    del response.headers["Content-Type"]  # of nothing
    told = [
        f'<{place.output(one)}>; rel="item"; type="{_kind(one)}"; title="{_ascii(one.identifier)}"'
        for one in outputs
    ]
    if told:
        response.headers["Link"] = ", ".join(told)
    return response


def _parts(
    place: Place, outputs: list[JobOutput], by_value: set[int], boundary: str
) -> Iterator[bytes]:
    """multipart/related (RFC 2387): each part has the output's identifier as its Content-ID; one
    by reference is empty and says where the value is."""
    for output in outputs:
        yield f"--{boundary}\r\nContent-ID: {_ascii(output.identifier)}\r\n".encode()
        if output.pk in by_value:
            yield from _part(place, output)
        else:
            yield _elsewhere(place, output)
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _part(place: Place, output: JobOutput) -> Iterator[bytes]:
    value = output.value
    if isinstance(value, BoundingBoxValue):
        body = json.dumps(_box(value)).encode()
        yield f"Content-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        return
    try:
        opened = open_output(output)
        source = opened.__enter__()
    except (ProviderError, NotFound):
        yield _elsewhere(place, output)  # there it is told what is wrong
        return
    try:
        length = source.headers.get("content-length", "")
        head = f"Content-Type: {content_type(output)}\r\n"
        head += f"Content-Length: {length}\r\n" if length else ""
        yield f"{head}\r\n".encode()
        yield from source.chunks
    finally:
        opened.__exit__(None, None, None)


def _elsewhere(place: Place, output: JobOutput) -> bytes:
    head = f"Content-Type: {_kind(output)}\r\nContent-Location: {place.output(output)}\r\n\r\n"
    return head.encode()


def _value(job: Job, value: InputValue, title: str) -> Any:
    if isinstance(value, ReferenceValue):
        kind = value.media_type or "application/octet-stream"
        return link(value.href, "item", title, kind)
    if isinstance(value, BoundingBoxValue):
        return _box(value)
    if isinstance(value, LiteralValue):
        known = job.service_version.description.output(value.identifier)
        domain = known.domain if known else None
        data_type = union(domain).data_type if isinstance(domain, LiteralDomain) else "string"
        plain = typed(data_type, value.value)
        return {"value": plain, "uom": value.uom} if value.uom else plain
    return _document(value)


def _document(value: ComplexValue) -> dict[str, Any]:
    told = {"mediaType": value.media_type, "encoding": value.encoding, "schema": value.schema}
    data: Any = value.data
    if not value.encoding and is_json(value.media_type):
        data = json_or_text(value.data)
    return {"value": data, **{name: text for name, text in told.items() if text}}


def _box(value: BoundingBoxValue) -> dict[str, Any]:
    return {"bbox": [*value.lower, *value.upper], "crs": crs_uri(value.crs)}


def _kind(output: JobOutput) -> str:
    return JSON if output.kind == "bbox" else content_type(output)


def _ascii(identifier: str) -> str:
    """An identifier in a header: percent-encoded where it is more than plain characters."""
    return quote(identifier, safe=" !#$&'()*+,/:=?@[]~")
