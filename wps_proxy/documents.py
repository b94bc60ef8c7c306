"""A job as a WPS 1.0.0 document: the answer to Execute, and what is at its statusLocation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.urls import reverse

from common.clock import now
from jobs.models import Job, JobOutput
from jobs.states import SUCCESSFUL
from providers.process import ExecuteRequest, OutputRequest, ProcessSummary
from wps_proxy.offers import Offer
from wps_proxy.results import outputs_of
from wps_proxy.words import wps1_text, wps1_word
from wps_proxy.wps1.requests import LANGUAGES
from wps_proxy.wps1.responses import ExecuteResponse, Status, execute_response


@dataclass(frozen=True, slots=True)
class Place:
    """The address that was called: where links in a document lead to."""

    request: HttpRequest
    offer: Offer

    @property
    def service(self) -> str:
        """The address of the service itself, without a query."""
        if self.offer.provider:
            path = reverse("wps_of_provider", args=(self.offer.provider,))
        else:
            path = reverse("wps")
        return self.request.build_absolute_uri(path)

    def status(self, job: Job, *, lineage: bool) -> str:
        """Where the job's document stays; whether it tells the request back is part of it."""
        if self.offer.provider:
            path = reverse("wps_status_of_provider", args=(self.offer.provider, job.pk))
        else:
            path = reverse("wps_status", args=(job.pk,))
        return self.request.build_absolute_uri(path + ("?lineage=true" if lineage else ""))

    def output(self, output: JobOutput) -> str:
        """Where the portal gives an output."""
        path = reverse("wps_output", args=(output.job_id, output.number))
        return self.request.build_absolute_uri(path)


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
            service_instance=f"{place.service}?service=WPS&request=GetCapabilities",
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
