"""Results of other catalogues: each one's in its own part of the page, as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalogue_client.models import CatalogueSource
from catalogue_client.packages.access import visible_packages
from catalogue_client.sources.access import source_for
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import period_of
from catalogue_client.sources.registry import opened_source
from catalogue_client.sources.searching import keep_pace, record_in, search
from catalogue_client.sources.visit import within
from common.errors import InvalidInput, NotFound, ProviderError, RateLimited
from portal.pages.search_form import asked

if TYPE_CHECKING:
    from people.models import User

MOST_COLLECTIONS = 200
SECONDS = 15.0


@login_required
@require_safe
def results(request: HttpRequest, slug: str) -> HttpResponse:
    """One page of one source: a part for the search page, or a page where there are no scripts."""
    user = cast("User", request.user)
    found = source_for(user, slug)
    query, problems = asked(request.GET)
    cursor = request.GET.get("cursor", "")
    context: dict[str, Any] = {"source": found, "problems": problems, "query": query}
    try:
        keep_pace(user)
        answer = search(user, [found], query, cursors={slug: cursor} if cursor else None)[0]
    except (InvalidInput, RateLimited) as error:
        context["error"] = error.detail
    else:
        context |= {"answer": answer, "error": answer.error}
        context["rows"] = [(one, *period_of(one.document)) for one in answer.page.records]
    whole = not request.headers.get("HX-Request")
    template = "sources/results_page.html" if whole else "sources/results.html"
    return render(request, template, context)


@login_required
@require_safe
def entry(request: HttpRequest, slug: str) -> HttpResponse:
    """One entry of another catalogue: where it is, its files, and what is said of it."""
    user = cast("User", request.user)
    found = source_for(user, slug)
    collection, identifier = request.GET.get("collection", ""), request.GET.get("id", "")
    context: dict[str, Any] = {"source": found, "identifier": identifier}
    try:
        keep_pace(user)
        record = record_in(user, found, collection, identifier)
    except (ProviderError, RateLimited) as error:
        context["error"] = error.detail
    else:
        context |= _shown(found, record)
        context["packages"] = visible_packages(user).filter(owner=user)
    return render(request, "sources/entry.html", context)


@login_required
@require_safe
def collections(request: HttpRequest, slug: str) -> HttpResponse:
    """What the source's records are grouped in: a part that its page asks for."""
    user = cast("User", request.user)
    found = source_for(user, slug)
    context: dict[str, Any] = {"source": found}
    try:
        keep_pace(user)
        adapter, endpoint = opened_source(found, user)
        with within(SECONDS):
            every = adapter.collections(endpoint)
        context |= {"collections": every[:MOST_COLLECTIONS], "more": len(every) - MOST_COLLECTIONS}
    except (ProviderError, RateLimited, NotFound) as error:
        context["error"] = error.detail
    return render(request, "sources/collections.html", context)


def _shown(source: CatalogueSource, record: Record) -> dict[str, Any]:
    document = record.document
    properties = document["properties"]
    elsewhere = {"title", "description", "datetime", "start_datetime", "end_datetime"}
    start, end = period_of(document)
    layer = {"id": "entry", "type": "footprint", "title": record.title, "bbox": record.bbox}
    return {
        "record": record,
        "description": str(properties.get("description") or ""),
        "start": start,
        "end": end,
        "layers": [layer] if record.bbox else [],
        "files": [
            (str(asset.get("title") or key), asset["href"], str(asset.get("type") or ""))
            for key, asset in document["assets"].items()
        ],
        "links": [
            (str(link.get("title") or link["rel"]), link["href"], str(link.get("type") or ""))
            for link in document["links"]
        ],
        "properties": [
            (name, str(value))
            for name, value in properties.items()
            if name not in elsewhere and isinstance(value, str | int | float) and value != ""
        ],
        "searched": _("as of the last crawl") if source.is_crawled else "",
    }
