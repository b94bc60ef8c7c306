"""The addresses that documents lead to: always those under which the portal was called."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from jobs.models import Job, JobOutput
from wps_proxy.offers import Offer


@dataclass(frozen=True, slots=True)
class Place:
    """The address that was called, of all providers, of one, or of one application."""

    request: HttpRequest
    offer: Offer

    def service(self, version: str) -> str:
        """The address of the service itself, without a query."""
        return self._address("wps" if version.startswith("1") else "wps2")

    def status(self, job: Job, *, lineage: bool) -> str:
        """Where the job's document of 1.0.0 stays; whether it tells the request is part of it."""
        return self._address("wps_status", job.pk) + ("?lineage=true" if lineage else "")

    def output(self, output: JobOutput) -> str:
        """Where the portal gives an output."""
        path = reverse("wps_output", args=(output.job_id, output.number))
        return self.request.build_absolute_uri(path)

    def _address(self, name: str, *arguments: object) -> str:
        if self.offer.provider:
            path = reverse(f"{name}_of_provider", args=(self.offer.provider, *arguments))
        elif self.offer.application:
            path = reverse(f"{name}_of_application", args=(self.offer.application, *arguments))
        else:
            path = reverse(name, args=arguments)
        return self.request.build_absolute_uri(path)
