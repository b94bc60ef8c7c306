"""The addresses /owc/jobs/…: jobs as OWS Context documents."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from catalogue_client.access import item_of_job
from catalogue_client.doors import base_of, door, tagged
from catalogue_client.owc_views import document_of, written
from common.errors import NotFound
from jobs.access import job_for
from jobs.contexts import context_of
from people.models import User


@door("GET")
def job(request: HttpRequest, user: User | None, /, *, job_id: UUID, form: str) -> HttpResponse:
    """What the catalogue has of a job; if there is nothing, the job itself for who may see it."""
    try:
        return document_of(request, item_of_job(user, job_id), form)
    except NotFound as error:
        missing = error
    try:
        found = job_for(user, job_id, "view") if user else None
    except NotFound:
        found = None
    if found is None:
        raise missing
    context = context_of(found, base_of(request))
    return tagged(request, written(context, form))
