"""Items under /stac/: searched, listed, one by one; written by `transactions`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from catalogue_client import selectors
from catalogue_client.access import collection_for, item_for
from catalogue_client.doors import answer, base_of, door, stamped, unchanged
from catalogue_client.selectors import Page
from catalogue_client.stac import GEOJSON, JSON, collection_href, item_document
from catalogue_client.stac_api import transactions
from catalogue_client.stac_api.parameters import Asked, from_body, from_query
from common.errors import Gone, NotFound
from people.models import User


@door("GET", writes=("POST",))
def items(request: HttpRequest, user: User | None, /, *, identifier: str) -> HttpResponse:
    """The items of one collection in pages; POST adds some."""
    if request.method == "POST":
        return transactions.create(request, user, identifier)
    found = collection_for(user, identifier)
    asked = from_query(request.GET)
    page = selectors.search(user, replace(asked.search, collections=(found.identifier,), ids=()))
    here = f"{collection_href(identifier, base_of(request))}/items"
    return _features(request, asked, page, here, _next_by_address(request, page, here))


@door("GET", writes=("PUT", "PATCH", "DELETE"))
def item(
    request: HttpRequest, user: User | None, /, *, identifier: str, item_id: str
) -> HttpResponse:
    """One item."""
    if request.method == "DELETE":
        return transactions.delete(request, user, identifier, item_id)
    if request.method in ("PUT", "PATCH"):
        return transactions.change(request, user, identifier, item_id)
    try:
        found = item_for(user, identifier, item_id)
    except Gone as gone:
        # After a DELETE clients of the Transaction extension look for 404.
        raise NotFound(gone.detail) from None
    known = unchanged(request, found, "stac")
    if known is not None:
        return known
    return stamped(answer(item_document(found, base_of(request)), GEOJSON), found, "stac")


@door("GET", "POST")
def search(request: HttpRequest, user: User | None, /) -> HttpResponse:
    """Items of all collections that fit."""
    here = f"{base_of(request)}/stac/search"
    if request.method != "POST":
        asked = from_query(request.GET)
        page = selectors.search(user, asked.search)
        return _features(request, asked, page, here, _next_by_address(request, page, here))
    asked = from_body(request.body)
    page = selectors.search(user, asked.search)
    return _features(request, asked, page, here, _next_by_body(request, page, here))


def _features(
    request: HttpRequest, asked: Asked, page: Page, here: str, following: dict[str, Any] | None
) -> HttpResponse:
    base = base_of(request)
    features = [item_document(found, base) for found in page.items]
    if asked.fields is not None:
        features = [asked.fields.of(feature) for feature in features]
    links = [
        {"rel": "self", "type": GEOJSON, "href": here},
        {"rel": "root", "type": JSON, "href": f"{base}/stac/"},
        *([following] if following else []),
    ]
    counted = {} if page.matched is None else {"numberMatched": page.matched}
    return answer(
        {
            "type": "FeatureCollection",
            "features": features,
            "links": links,
            **counted,
            "numberReturned": len(features),
        },
        GEOJSON,
    )


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


def _next_by_body(request: HttpRequest, page: Page, here: str) -> dict[str, Any] | None:
    """The whole body with the token, so that clients need not merge; those that do lose nothing."""
    if not page.after:
        return None
    return {
        "rel": "next",
        "type": GEOJSON,
        "method": "POST",
        "href": here,
        "body": {**orjson.loads(request.body or b"{}"), "token": page.after},
        "merge": False,
    }
