"""What /stac/ is: landing page, conformance, description, queryables."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from catalogue_client.access import collection_for
from catalogue_client.doors import answer, base_of, door
from catalogue_client.queryables import SCHEMA_OF_KIND, kinds
from catalogue_client.stac import GEOJSON, JSON, QUERYABLES, VERSION, collection_href
from catalogue_client.stac_api import openapi
from catalogue_client.stac_api.conformance import CONFORMANCE
from people.models import User

SCHEMA = "application/schema+json"


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
        {"rel": QUERYABLES, "type": SCHEMA, "href": f"{root}queryables"},
    ]
    return answer(
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
    return answer({"conformsTo": CONFORMANCE})


@door("GET")
def api(request: HttpRequest, _user: User | None, /) -> HttpResponse:
    """The description for programs."""
    return answer(openapi.document(base_of(request)), openapi.MEDIA_TYPE)


@door("GET")
def queryables(request: HttpRequest, _user: User | None, /) -> HttpResponse:
    """What filters and orders of every search may name."""
    return _queryables(f"{base_of(request)}/stac/queryables")


@door("GET")
def queryables_of(request: HttpRequest, user: User | None, /, *, identifier: str) -> HttpResponse:
    """The same for one collection: any property of its items may be asked for."""
    found = collection_for(user, identifier)
    return _queryables(f"{collection_href(found.identifier, base_of(request))}/queryables")


def _queryables(here: str) -> HttpResponse:
    properties = {name: {"title": name, **SCHEMA_OF_KIND[kind]} for name, kind in kinds().items()}
    geometry = {"title": "geometry", "$ref": "https://geojson.org/schema/Geometry.json"}
    return answer(
        {
            "$schema": "https://json-schema.org/draft/2019-09/schema",
            "$id": here,
            "type": "object",
            "title": "Queryables of the catalogue",
            "properties": {**properties, "geometry": geometry},
            "additionalProperties": True,
        },
        SCHEMA,
    )
