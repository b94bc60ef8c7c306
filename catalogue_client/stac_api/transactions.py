"""Writing items over HTTP: bodies in, statuses out. Who may: `catalogue_client.transactions`."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from catalogue_client import transactions
from catalogue_client.doors import answer, base_of, must_match, stamped
from catalogue_client.stac import GEOJSON, collection_href, item_document
from common.errors import InvalidInput
from people.models import User


def create(request: HttpRequest, user: User | None, identifier: str) -> HttpResponse:
    """201 with the item and its address; of a FeatureCollection all its items or none."""
    body, base = _body(request), base_of(request)
    several = body.get("type") == "FeatureCollection"
    documents = body.get("features") if several else [body]
    if not isinstance(documents, list) or not all(isinstance(d, dict) for d in documents):
        raise InvalidInput("“features” is a list of items.", locator="features")
    made = transactions.create(user, identifier, documents, base=base)
    if several:
        features = [item_document(item, base) for item in made]
        return answer({"type": "FeatureCollection", "features": features}, GEOJSON, 201)
    response = stamped(answer(item_document(made[0], base), GEOJSON, 201), made[0], "stac")
    response["Location"] = f"{collection_href(identifier, base)}/items/{made[0].identifier}"
    return response


def change(request: HttpRequest, user: User | None, identifier: str, item_id: str) -> HttpResponse:
    """204 with the new ETag, after PUT or PATCH."""
    write = transactions.replace if request.method == "PUT" else transactions.patch
    item = write(
        user, identifier, item_id, _body(request), base=base_of(request), check=_check(request)
    )
    return stamped(_nothing(), item, "stac")


def delete(request: HttpRequest, user: User | None, identifier: str, item_id: str) -> HttpResponse:
    """204, whether it was there or not."""
    transactions.delete(user, identifier, item_id, check=_check(request))
    return _nothing()


def _check(request: HttpRequest) -> transactions.Check:
    return lambda item: must_match(request, item, "stac")


def _nothing() -> HttpResponse:
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise InvalidInput("The body is no JSON.", locator="body") from None
    if not isinstance(body, dict):
        raise InvalidInput("The body must be a JSON object.", locator="body")
    return body
