"""The addresses under /stac/. They translate; who sees what is decided elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from catalogue_client import selectors
from catalogue_client.access import collection_for, item_for
from catalogue_client.doors import base_of, door, stamped, unchanged
from catalogue_client.selectors import Page, Search
from catalogue_client.stac import (
    GEOJSON,
    JSON,
    VERSION,
    collection_document,
    collection_href,
    item_document,
)
from catalogue_client.stac_api import openapi
from catalogue_client.stac_api.parameters import from_body, from_query
from people.models import User

CONFORMANCE = [
    "https://api.stacspec.org/v1.0.0/core",
    "https://api.stacspec.org/v1.0.0/collections",
    "https://api.stacspec.org/v1.0.0/ogcapi-features",
    "https://api.stacspec.org/v1.0.0/item-search",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
]


@door("GET")
def landing(request: HttpRequest, _user: User | None, /) -> HttpResponse:
    """What this catalogue is and where its parts are."""
    base = base_of(request)
    root = f"{base}/stac/"
    search = {"rel": "search", "type": GEOJSON, "href": f"{root}search"}
    links = [
        {"rel": "self", "type": JSON, "href": root},
        {"rel": "root", "type": JSON, "href": root},
        {"rel": "conformance", "type": JSON, "href": f"{root}conformance"},
        {"rel": "service-desc", "type": openapi.MEDIA_TYPE, "href": f"{root}api"},
        {"rel": "service-doc", "type": "text/html", "href": f"{base}/catalogue/"},
        {"rel": "data", "type": JSON, "href": f"{root}collections"},
        {**search, "method": "GET"},
        {**search, "method": "POST"},
    ]
    return JsonResponse(
        {
            "type": "Catalog",
            "stac_version": VERSION,
            "id": "tep-portal",
            "title": "TEP Portal",
            "description": "Scenes and results of this portal, as far as you may see them.",
            "conformsTo": CONFORMANCE,
            "links": links,
        }
    )


@door("GET")
def conformance(_request: HttpRequest, _user: User | None, /) -> HttpResponse:
    """The classes of the standards that hold here."""
    return JsonResponse({"conformsTo": CONFORMANCE})


@door("GET")
def api(request: HttpRequest, _user: User | None, /) -> HttpResponse:
    """The description for programs."""
    return JsonResponse(openapi.document(base_of(request)), content_type=openapi.MEDIA_TYPE)


@door("GET")
def collections(request: HttpRequest, user: User | None, /) -> HttpResponse:
    """The collections that the caller may see."""
    base = base_of(request)
    found = selectors.collections(user)
    extents = selectors.extents(user, found)
    root = f"{base}/stac/"
    return JsonResponse(
        {
            "collections": [collection_document(c, extents[c.pk], base) for c in found],
            "links": [
                {"rel": "self", "type": JSON, "href": f"{root}collections"},
                {"rel": "root", "type": JSON, "href": root},
            ],
        }
    )


@door("GET")
def collection(request: HttpRequest, user: User | None, /, *, identifier: str) -> HttpResponse:
    """One collection."""
    found = collection_for(user, identifier)
    extent = selectors.extents(user, [found])[found.pk]
    return JsonResponse(collection_document(found, extent, base_of(request)))


@door("GET")
def items(request: HttpRequest, user: User | None, /, *, identifier: str) -> HttpResponse:
    """The items of one collection, in pages."""
    found = collection_for(user, identifier)
    query = replace(from_query(request.GET), collections=(found.identifier,), ids=())
    page = selectors.search(user, query)
    here = f"{collection_href(identifier, base_of(request))}/items"
    return _features(request, page, here, [_next_by_address(request, page, here)])


@door("GET")
def item(
    request: HttpRequest, user: User | None, /, *, identifier: str, item_id: str
) -> HttpResponse:
    """One item."""
    found = item_for(user, identifier, item_id)
    known = unchanged(request, found, "stac")
    if known is not None:
        return known
    document = item_document(found, base_of(request))
    return stamped(JsonResponse(document, content_type=GEOJSON), found, "stac")


@door("GET", "POST")
def search(request: HttpRequest, user: User | None, /) -> HttpResponse:
    """Items of all collections that fit, newest first."""
    here = f"{base_of(request)}/stac/search"
    if request.method != "POST":
        page = selectors.search(user, from_query(request.GET))
        return _features(request, page, here, [_next_by_address(request, page, here)])
    query = from_body(request.body)
    page = selectors.search(user, query)
    return _features(request, page, here, [_next_by_body(query, page, here)])


def _features(
    request: HttpRequest, page: Page, here: str, following: list[dict[str, Any] | None]
) -> HttpResponse:
    base = base_of(request)
    links = [
        {"rel": "self", "type": GEOJSON, "href": here},
        {"rel": "root", "type": JSON, "href": f"{base}/stac/"},
        *(link for link in following if link),
    ]
    document = {
        "type": "FeatureCollection",
        "features": [item_document(found, base) for found in page.items],
        "links": links,
        "numberMatched": page.matched,
        "numberReturned": len(page.items),
    }
    return JsonResponse(document, content_type=GEOJSON)


def _next_by_address(request: HttpRequest, page: Page, here: str) -> dict[str, Any] | None:
    if not page.after:
        return None
    parameters = request.GET.copy()
    parameters["token"] = page.after
    return {
        "rel": "next",
        "type": GEOJSON,
        "method": "GET",
        "href": f"{here}?{parameters.urlencode()}",
    }


def _next_by_body(query: Search, page: Page, here: str) -> dict[str, Any] | None:
    """The client sends its own body again with the token in it."""
    if not page.after:
        return None
    body = {"token": page.after, "limit": query.limit}
    return {
        "rel": "next",
        "type": GEOJSON,
        "method": "POST",
        "href": here,
        "body": body,
        "merge": True,
    }
