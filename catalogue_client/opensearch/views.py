"""The addresses under /opensearch/."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from catalogue_client.access import visible_items
from catalogue_client.doors import base_of, door, plain, unchanged_list
from catalogue_client.metadata.facts import ATOM, GEOJSON
from catalogue_client.numbered import numbered
from catalogue_client.opensearch import feeds
from catalogue_client.opensearch.query import PARAMETERS, read
from common import kvp
from people.models import User


@door("GET", refusal=plain)
def description(request: HttpRequest, user: User | None, /) -> HttpResponse:
    """What can be asked here, and how."""
    text = feeds.description(base_of(request))
    return unchanged_list(request, user, lambda: HttpResponse(text, content_type=feeds.DESCRIPTION))


@door("GET", refusal=plain)
def search(request: HttpRequest, user: User | None, /, *, form: str) -> HttpResponse:
    """One page of what fits, newest first."""
    parameters = kvp.parameters(request.META.get("QUERY_STRING", ""))
    query = read(parameters)

    def answer() -> HttpResponse:
        fitting = visible_items(user).filter(query.where)
        newest = ("-start", "-pk")
        items, total = numbered(user, fitting, newest, query.first - 1, query.count)
        given = {name: parameters.get(name.lower(), "") for name in PARAMETERS}
        asked = {name: value for name, value in given.items() if value}
        found = feeds.Found(items, total, query, asked, base_of(request))
        if form == "atom":
            return HttpResponse(feeds.atom_feed(found), content_type=f"{ATOM}; charset=utf-8")
        return JsonResponse(feeds.feature_collection(found), content_type=GEOJSON)

    return unchanged_list(request, user, answer)
