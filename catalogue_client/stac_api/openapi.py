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
_OBJECT = {"type": "object"}
_PAGE: dict[str, dict[str, Any]] = {
    "limit": _LIMIT,
    "bbox": _NUMBERS,
    "datetime": _TEXT,
    "token": _TEXT,
}
_FILTER: dict[str, dict[str, Any]] = {
    "filter-lang": {"type": "string", "enum": ["cql2-text", "cql2-json"]},
    "filter-crs": _TEXT,
}
_ITEMS: dict[str, dict[str, Any]] = {
    **_PAGE,
    **_FILTER,
    "filter": _TEXT,
    "sortby": _TEXT,
    "fields": _TEXT,
}
_SEARCH: dict[str, dict[str, Any]] = {
    **_ITEMS,
    "ids": _NAMES,
    "collections": _NAMES,
    "intersects": _TEXT,
}
_BODY = {
    **_SEARCH,
    "intersects": {"$ref": "https://geojson.org/schema/Geometry.json"},
    "filter": _OBJECT,
    "sortby": {"type": "array", "items": _OBJECT},
    "fields": {"type": "object", "properties": {"include": _NAMES, "exclude": _NAMES}},
}


def document(base: str) -> dict[str, Any]:
    """The description; `base` is the portal's address."""
    collection = _in_path("collectionId")
    item = [*collection, *_in_path("featureId")]
    words = _in_query({**_PAGE, "q": _TEXT})
    schema = "application/schema+json"
    change = {**_operation("changeItem", GEOJSON, item, "204"), "requestBody": _body(_OBJECT)}
    return {
        "openapi": "3.0.3",
        "info": {"title": "TEP Portal STAC API", "version": "1.0.0"},
        "servers": [{"url": f"{base}/stac"}],
        "paths": {
            "/": {"get": _operation("getLandingPage", JSON, [])},
            "/conformance": {"get": _operation("getConformance", JSON, [])},
            "/queryables": {"get": _operation("getQueryables", schema, [])},
            "/collections": {"get": _operation("getCollections", JSON, words)},
            "/collections/{collectionId}": {"get": _operation("getCollection", JSON, collection)},
            "/collections/{collectionId}/queryables": {
                "get": _operation("getQueryablesOfCollection", schema, collection)
            },
            "/collections/{collectionId}/items": {
                "get": _operation("getItems", GEOJSON, [*collection, *_in_query(_ITEMS)]),
                "post": {
                    **_operation("postItems", GEOJSON, collection, "201"),
                    "requestBody": _body(_OBJECT),
                },
            },
            "/collections/{collectionId}/items/{featureId}": {
                "get": _operation("getItem", GEOJSON, item),
                "put": {**change, "operationId": "putItem"},
                "patch": {**change, "operationId": "patchItem"},
                "delete": _operation("deleteItem", GEOJSON, item, "204"),
            },
            "/search": {
                "get": _operation("getSearch", GEOJSON, _in_query(_SEARCH)),
                "post": {
                    **_operation("postSearch", GEOJSON, []),
                    "requestBody": _body({"type": "object", "properties": _BODY}),
                },
            },
        },
    }


def _operation(
    name: str, media_type: str, parameters: list[dict[str, Any]], status: str = "200"
) -> dict[str, Any]:
    error = {"type": "object", "properties": {"code": _TEXT, "description": _TEXT}}
    content = {} if status == "204" else {"content": {media_type: {"schema": _OBJECT}}}
    return {
        "operationId": name,
        "parameters": parameters,
        "responses": {
            status: {"description": "OK", **content},
            "default": {"description": "Error", "content": {JSON: {"schema": error}}},
        },
    }


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {JSON: {"schema": schema}}}


def _in_path(name: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": _TEXT}]


def _in_query(parameters: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "schema": schema, "style": "form", "explode": False}
        for name, schema in parameters.items()
    ]
