"""The address that was called, and the addresses of everything under it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from django.urls import reverse

from common.errors import NotFound
from jobs.models import Job, JobOutput
from people.models import User
from thematic_apps.access import app_for
from wps_proxy.offers import Offer

JSON = "application/json"
HTML = "text/html"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
REL = "http://www.opengis.net/def/rel/ogc/1.0/"

Link = dict[str, str]


@dataclass(frozen=True, slots=True)
class Place:
    """One of the roots: of all services, of one provider's, of one application's."""

    request: HttpRequest
    provider: str = ""
    application: str = ""

    @property
    def root(self) -> str:
        """The address of the landing page; it ends with a slash."""
        if self.provider:
            path = reverse("ogcapi_provider:landing", args=(self.provider,))
        elif self.application:
            path = reverse("ogcapi_app:landing", args=(self.application,))
        else:
            path = reverse("ogcapi:landing")
        return self.request.build_absolute_uri(path)

    @property
    def processes(self) -> str:
        return f"{self.root}processes"

    @property
    def jobs(self) -> str:
        return f"{self.root}jobs"

    def process(self, identifier: str) -> str:
        """Where a process is described; whatever is in its identifier is one part of the path."""
        return f"{self.processes}/{quote(identifier, safe='')}"

    def execution(self, identifier: str) -> str:
        return f"{self.process(identifier)}/execution"

    def job(self, job: Job) -> str:
        return f"{self.jobs}/{job.pk}"

    def results(self, job: Job) -> str:
        return f"{self.job(job)}/results"

    def output(self, output: JobOutput) -> str:
        """Where the portal streams an output."""
        return f"{self.jobs}/{output.job_id}/outputs/{output.number}"

    def offer(self, user: User) -> Offer:
        return Offer(user, self.provider, self.application)

    def entered(self, user: User) -> Offer:
        """The offer of this root. Raises NotFound for a root that is not there for this user: of
        an application that is not theirs to open, of a provider that has nothing for them."""
        offer = self.offer(user)
        if self.provider and not offer.usable().exists():
            raise NotFound
        if self.application:
            app_for(user, self.application)
        return offer

    def holds(self, job: Job) -> bool:
        """Whether a job belongs under this root."""
        app = job.application.slug if job.application else ""
        return self.provider in ("", job.service.provider.slug) and self.application in ("", app)


def link(href: str, rel: str, title: str = "", kind: str = JSON) -> Link:
    """A link as 18-062r2 has it (link.yaml)."""
    told = {"href": href, "rel": rel, "type": kind}
    return {**told, "title": title} if title else told


def with_query(address: str, query: Any) -> str:
    """The address with the parameters of a QueryDict."""
    text = query.urlencode()
    return f"{address}?{text}" if text else address
