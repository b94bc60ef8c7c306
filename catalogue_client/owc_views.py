"""The addresses under /owc/: catalogue items and results of jobs as OWS Context documents."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse

from catalogue_client.access import item_for, item_of_job
from catalogue_client.contexts import context_of
from catalogue_client.doors import base_of, door, stamped, unchanged
from catalogue_client.models import Item
from catalogue_client.owc import atom, geojson
from catalogue_client.owc.atom_writer import MEDIA_TYPE as ATOM
from catalogue_client.owc.json_writer import MEDIA_TYPE as GEOJSON
from people.models import User


@door("GET")
def job(request: HttpRequest, user: User | None, /, *, job_id: UUID, form: str) -> HttpResponse:
    """The result of a job."""
    return _document(request, item_of_job(user, job_id), form)


@door("GET")
def item(
    request: HttpRequest, user: User | None, /, *, identifier: str, item_id: str, form: str
) -> HttpResponse:
    """An item of a collection."""
    return _document(request, item_for(user, identifier, item_id), form)


def _document(request: HttpRequest, found: Item, form: str) -> HttpResponse:
    known = unchanged(request, found, form)
    if known is not None:
        return known
    context = context_of(found, base_of(request))
    if form == "atom":
        return stamped(HttpResponse(atom(context), content_type=ATOM), found, form)
    return stamped(JsonResponse(geojson(context), content_type=GEOJSON), found, form)
