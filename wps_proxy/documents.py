"""A job as a WPS 1.0.0 document: the answer to Execute, and what is at its statusLocation."""

from __future__ import annotations

from dataclasses import replace

from common.clock import now
from jobs.models import Job
from jobs.states import SUCCESSFUL
from providers.process import ExecuteRequest, OutputRequest, ProcessSummary
from wps_proxy.negotiation import LANGUAGES
from wps_proxy.places import Place
from wps_proxy.results import outputs_of
from wps_proxy.words import wps1_text, wps1_word
from wps_proxy.wps1.requests import VERSION
from wps_proxy.wps1.responses import ExecuteResponse, Status, execute_response


def document_of(
    job: Job, place: Place, *, lineage: bool, located: bool, language: str = LANGUAGES[0]
) -> bytes:
    """The ExecuteResponse of a job as it is now; `located` names the address where it stays.

    Small files may be read from the provider for it. Raises NotFound for a job that was never
    submitted.
    """
    status = Status(
        wps1_word(job), at=job.finished_at or now(), text=wps1_text(job), percent=job.percent
    )
    service, described = job.service, job.service_version.description
    return execute_response(
        ExecuteResponse(
            service_instance=f"{place.service(VERSION)}?service=WPS&request=GetCapabilities",
            process=ProcessSummary(
                place.offer.identifier(service),
                described.title,
                described.abstract,
                described.version,
            ),
            status=status,
            language=language,
            status_location=place.status(job, lineage=lineage) if located else "",
            outputs=tuple(outputs_of(job, place.output)) if job.state in SUCCESSFUL else (),
            lineage=_told_back(job) if lineage else None,
        )
    )


def _told_back(job: Job) -> ExecuteRequest:
    """The request as it was run, with all outputs where none was named."""
    request = job.request()
    if request.outputs:
        return request
    everything = tuple(
        OutputRequest(one.identifier) for one in job.service_version.description.outputs
    )
    return replace(request, outputs=everything)
