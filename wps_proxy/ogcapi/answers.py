"""One document as JSON or as a page: by `f=json|html`, else by Accept (18-062r2 §8, §9)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import gettext as _

from wps_proxy.cached import Document, kept
from wps_proxy.offers import Offer
from wps_proxy.ogcapi.place import HTML, JSON, Link, Place, link, with_query
from wps_proxy.ogcapi.problems import WrongParameter

FORMS = {"json": JSON, "html": HTML}


def form_of(request: HttpRequest) -> str:
    """The media type to answer with; JSON for whoever takes anything.

    Raises WrongParameter for an `f` that is neither.
    """
    asked = request.GET.get("f", "").strip().lower()
    if asked:
        if asked not in FORMS:
            raise WrongParameter("f", _("Formats are json and html."))
        return FORMS[asked]
    return request.get_preferred_type([JSON, HTML]) or JSON


def own_links(place: Place, address: str) -> list[Link]:
    """The document itself and its other form; `address` has no query, the request's is kept."""
    here = form_of(place.request)
    query = place.request.GET.copy()
    found = []
    for name, kind in FORMS.items():
        query["f"] = name
        title = _("This document") if kind == here else _("This document as %(kind)s")
        rel = "self" if kind == here else "alternate"
        found.append(link(with_query(address, query), rel, title % {"kind": kind}, kind))
    return sorted(found, key=lambda one: one["rel"] != "self")


def answer(
    place: Place,
    document: Mapping[str, Any],
    page: str,
    *,
    status: int = 200,
    kind: str = JSON,
    more: Mapping[str, Any] = {},
) -> HttpResponseBase:
    """The document in the form that the client wants, with an ETag for the JSON form of a GET.

    `page` is its template, which gets the document and `more`.
    """
    request = place.request
    if form_of(request) == HTML:
        context = {"document": document, "place": place, **more}
        response: HttpResponseBase = render(request, page, context, status=status)
    else:
        response = as_json(document, status=status, kind=kind)
        if request.method in ("GET", "HEAD"):
            response = _with_etag(request, response, Document.of(response.content).etag)
    return _for_this_client(response)


def kept_answer(
    place: Place,
    offer: Offer,
    make: Callable[[], tuple[Mapping[str, Any], Mapping[str, Any]]],
    page: str,
) -> HttpResponseBase:
    """As `answer`, for documents that are the same until services or rights change.

    `make` gives the document and what else the page needs. It depends on nothing but the offer, the
    address and its query; its JSON is kept (see `wps_proxy.cached`), a page is made for its reader.
    """
    request = place.request
    if form_of(request) == HTML:
        document, more = make()
        return answer(place, document, page, more=more)
    wanted = ("ogcapi", request.META.get("QUERY_STRING", ""))
    body = kept(request, offer, wanted, lambda: as_json(make()[0]).content)
    response = _with_etag(request, HttpResponse(body, content_type=JSON), body.etag)
    return _for_this_client(response)


def _with_etag(request: HttpRequest, response: HttpResponse, etag: str) -> HttpResponseBase:
    found = get_conditional_response(request, etag=etag, response=response) or response
    found.headers["ETag"] = etag
    return found


def _for_this_client(response: HttpResponseBase) -> HttpResponseBase:
    patch_vary_headers(response, ("Accept", "Authorization", "Cookie"))
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def as_json(document: Any, *, status: int = 200, kind: str = JSON) -> HttpResponse:
    """ASCII only: a lone surrogate of a provider's text breaks nothing."""
    return HttpResponse(json.dumps(document), status=status, content_type=kind)
