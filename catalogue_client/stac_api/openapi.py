"""The STAC API described in OpenAPI 3.0: exactly what `urls` has."""

from __future__ import annotations

from typing import Any

from catalogue_client.selectors import MOST
from catalogue_client.stac import GEOJSON, JSON
from catalogue_client.stac_api.parameters import DEFAULT_LIMIT

MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"

_LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT}
_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
_NAMES = {"type": "array", "items": {"type": "string"}}
_TEXT = {"type": "string"}
_PAGE: dict[str, dict[str, Any]] = {
    "limit": _LIMIT,
    "bbox": _NUMBERS,
    "datetime": _TEXT,
    "token": _TEXT,
}
_SEARCH = {**_PAGE, "ids": _NAMES, "collections": _NAMES}


def document(base: str) -> dict[str, Any]:
    """The description; `base` is the portal's address."""
    collection = _in_path("collectionId")
    item = [*collection, *_in_path("featureId")]
    body = {"content": {JSON: {"schema": {"type": "object", "properties": _SEARCH}}}}
    search = {
        "get": _operation("getSearch", GEOJSON, _in_query(_SEARCH)),
        "post": {**_operation("postSearch", GEOJSON, []), "requestBody": body},
    }
    items = [*collection, *_in_query(_PAGE)]
    return {
        "openapi": "3.0.3",
        "info": {"title": "TEP Portal STAC API", "version": "1.0.0"},
        "servers": [{"url": f"{base}/stac"}],
        "paths": {
            "/": {"get": _operation("getLandingPage", JSON, [])},
            "/conformance": {"get": _operation("getConformance", JSON, [])},
            "/collections": {"get": _operation("getCollections", JSON, [])},
            "/collections/{collectionId}": {"get": _operation("getCollection", JSON, collection)},
            "/collections/{collectionId}/items": {"get": _operation("getItems", GEOJSON, items)},
            "/collections/{collectionId}/items/{featureId}": {
                "get": _operation("getItem", GEOJSON, item)
            },
            "/search": search,
        },
    }


def _operation(name: str, media_type: str, parameters: list[dict[str, Any]]) -> dict[str, Any]:
    error = {"type": "object", "properties": {"code": _TEXT, "description": _TEXT}}
    return {
        "operationId": name,
        "parameters": parameters,
        "responses": {
            "200": {"description": "OK", "content": {media_type: {"schema": {"type": "object"}}}},
            "default": {"description": "Error", "content": {JSON: {"schema": error}}},
        },
    }


def _in_path(name: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": _TEXT}]


def _in_query(parameters: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "schema": schema, "style": "form", "explode": False}
        for name, schema in parameters.items()
    ]
