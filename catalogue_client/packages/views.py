"""The addresses under /data-packages/: one package as STAC, as OWS Context, or its page."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.cache import patch_vary_headers

from catalogue_client.doors import base_of, door
from catalogue_client.owc_views import written
from catalogue_client.packages import documents
from catalogue_client.packages.access import package_for
from catalogue_client.packages.contents import contents
from catalogue_client.stac import GEOJSON
from common.errors import InvalidInput, NotFound
from people.models import User

# What clients ask for → the form; the first is for those that take anything.
_FORMS = {
    "application/json": "stac",
    "application/atom+xml": "atom",
    "application/geo+json": "geojson",
    "text/html": "html",
}
FORMS = frozenset({*_FORMS.values(), "items"})


@door("GET")
def package(
    request: HttpRequest, user: User | None, /, *, package_id: UUID, form: str = ""
) -> HttpResponse:
    """The package in the form of the address, of `f`, or of what the client accepts."""
    found = package_for(user, package_id)
    wanted = form or request.GET.get("f", "") or _accepted(request)
    if wanted not in FORMS:
        raise InvalidInput(f"The forms are {', '.join(sorted(FORMS))}.", locator="f")
    base = base_of(request)
    if wanted == "html":
        response: HttpResponse = HttpResponseRedirect(f"/packages/{found.pk}/")
    elif wanted == "stac":
        response = JsonResponse(documents.collection_document(found, contents(found, user), base))
    elif wanted == "items":
        whole = documents.items_document(found, contents(found, user), base)
        response = JsonResponse(whole, content_type=GEOJSON)
    else:
        context = documents.context(found, contents(found, user), user, base)
        response = written(context, wanted)
    patch_vary_headers(response, ("Accept",))
    return response


@door("GET")
def item(request: HttpRequest, user: User | None, /, *, package_id: UUID, key: str) -> HttpResponse:
    """One item of it."""
    found = package_for(user, package_id)
    document = documents.item_document(found, contents(found, user), key, base_of(request))
    if document is None:
        raise NotFound("The data package has no such item.")
    return JsonResponse(document, content_type=GEOJSON)


def _accepted(request: HttpRequest) -> str:
    kind = request.get_preferred_type(list(_FORMS))
    return _FORMS.get(kind or "", "stac")
