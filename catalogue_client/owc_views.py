"""The addresses under /owc/: catalogue items as OWS Context documents, and how any is written."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from catalogue_client.access import item_for
from catalogue_client.contexts import context_of
from catalogue_client.doors import base_of, door, stamped, unchanged
from catalogue_client.models import Item
from catalogue_client.owc import Context, atom, geojson
from catalogue_client.owc.atom_writer import MEDIA_TYPE as ATOM
from catalogue_client.owc.json_writer import MEDIA_TYPE as GEOJSON
from people.models import User


@door("GET")
def item(
    request: HttpRequest, user: User | None, /, *, identifier: str, item_id: str, form: str
) -> HttpResponse:
    """An item of a collection."""
    return document_of(request, item_for(user, identifier, item_id), form)


def document_of(request: HttpRequest, found: Item, form: str) -> HttpResponse:
    """The document of an entry, or 304."""
    known = unchanged(request, found, form)
    if known is not None:
        return known
    return stamped(written(context_of(found, base_of(request)), form), found, form)


def written(context: Context, form: str) -> HttpResponse:
    """A context in the encoding `atom` or `geojson`."""
    if form == "atom":
        return HttpResponse(atom(context), content_type=ATOM)
    return JsonResponse(geojson(context), content_type=GEOJSON)
