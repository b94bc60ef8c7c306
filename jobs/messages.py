"""A job as it is told to an address: statusInfo and results of OGC API – Processes (18-062r2).

statusInfo: §7.13 and its schema `statusInfo.yaml`; results: §7.14, `results.yaml`. Addresses in
them are the portal's REST API.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from jobs.json_values import json_or_text, value_to_json
from jobs.models import Job, JobOutput
from jobs.states import FINAL, SUCCESSFUL, State
from people.mail import link
from providers.literals import union
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    LiteralDomain,
    LiteralValue,
    OutputDescription,
)

MOST_INLINE = 256 * 1024  # characters of a document; larger ones are linked
_BEFORE = frozenset({State.DRAFT, State.VALIDATED, State.QUOTING, State.QUOTED, State.SUBMITTED})
_BEFORE |= {State.SUBMITTING, State.ACCEPTED}


def status_of(job: Job) -> dict[str, Any]:
    """The job as statusInfo."""
    document: dict[str, Any] = {
        "processID": job.service.public_identifier,
        "type": "process",
        "jobID": str(job.pk),
        "status": _word(State(job.state)),
        "message": job.error or job.message,
        "created": job.created_at.isoformat(),
        "updated": (job.finished_at or job.checked_at or job.created_at).isoformat(),
        "links": [{"href": link(reverse("api:job", args=[job.pk])), "rel": "self"}],
    }
    if job.started_at:
        document["started"] = job.started_at.isoformat()
    if job.finished_at:
        document["finished"] = job.finished_at.isoformat()
    if job.percent is not None:
        document["progress"] = job.percent
    return document


def results_of(job: Job) -> dict[str, Any]:
    """The outputs that were asked for as results: plain values as they are, small documents inline,
    files linked."""
    described = job.service_version.description
    asked = {one["identifier"] for one in job.requested_outputs}
    return {
        output.identifier: _result(output, described.output(output.identifier))
        for output in job.given_outputs
        if not asked or output.identifier in asked
    }


def _word(state: State) -> str:
    if state in SUCCESSFUL:
        return "successful"
    if state == State.CANCELLED:
        return "dismissed"
    if state in FINAL:
        return "failed"
    return "accepted" if state in _BEFORE else "running"


def _result(output: JobOutput, described: OutputDescription | None) -> Any:
    value = output.value
    if isinstance(value, LiteralValue):
        domain = described.domain if described is not None else None
        data_type = union(domain).data_type if isinstance(domain, LiteralDomain) else ""
        plain = _plain(value.value, data_type)
        return {"value": plain, "uom": value.uom} if value.uom else plain
    if isinstance(value, BoundingBoxValue):
        return value_to_json(value)
    if isinstance(value, ComplexValue) and len(value.data) <= MOST_INLINE:
        return _qualified(value)
    href = link(reverse("api:job-output-content", args=[output.job_id, output.number]))
    return {"href": href, "type": output.media_type or "application/octet-stream"}


def _plain(text: str, data_type: str) -> Any:
    """A literal as JSON writes its type; text where it is not what it claims to be."""
    try:
        if data_type == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
        if data_type == "integer":
            return int(text)
        if data_type == "double":
            number = float(text)
            return number if number - number == 0 else text  # JSON knows neither NaN nor infinity
    except ValueError:
        pass
    return text


def _qualified(value: ComplexValue) -> dict[str, Any]:
    document = {"value": value.data, "mediaType": value.media_type, "encoding": value.encoding}
    if "json" in value.media_type.lower() and not value.encoding:
        document["value"] = json_or_text(value.data)
    return {name: one for name, one in document.items() if one != ""}
