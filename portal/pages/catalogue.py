"""The catalogue: search with a map, and the page of an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalogue_client.access import collection_for, item_for
from catalogue_client.change_list import last_change
from catalogue_client.finder import COUNTED
from catalogue_client.metadata.facts import facts_of
from catalogue_client.metadata.schema_org import collection_dataset, dataset
from catalogue_client.models import Collection, Item
from catalogue_client.packages.access import visible_packages
from catalogue_client.selectors import Search, counted_collections, extents, search
from catalogue_client.sources.access import OWN, visible_sources
from catalogue_client.sources.searching import MOST_SOURCES
from common.errors import Gone, NotAuthenticated, NotFound
from portal.forms.occurrences import SIDES
from portal.pages.conditional import conditional
from portal.pages.documents import Link, documents_of
from portal.pages.found import json_ld
from portal.pages.scenes import entry_address, files_of, layers_of_items, quicklook
from portal.pages.search_form import PER_PAGE, asked
from portal.pages.viewers import viewer_buttons

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Search by words, collection, time and box, here and in other catalogues.

    Everything is in the address. The others answer in parts of the page that come later.
    """
    user = cast("User", request.user)
    sides = [request.GET.get(side, "").strip() for side in SIDES]
    wanted, problems = asked(request.GET)
    query = Search(
        collections=tuple(c for c in [request.GET.get("collection", "")] if c),
        text=wanted.text,
        bbox=wanted.bbox,
        start=wanted.start,
        end=wanted.end,
        limit=PER_PAGE,
        after=request.GET.get("after", ""),
    )
    chosen = list(dict.fromkeys(request.GET.getlist("source")))[:MOST_SOURCES]
    sources = list(visible_sources(user))
    here = OWN in chosen or not chosen
    page = search(user, query) if here else None
    items = page.items if page else []
    context = {
        "page": page,
        "counted": COUNTED,
        "items": [(item, entry_address(item), quicklook(item)) for item in items],
        "views": viewer_buttons(user, items, brief=True),
        "layers": layers_of_items(items, pictures=False),
        "sources": [(one, one.slug in chosen) for one in sources],
        "others": [one for one in sources if one.slug in chosen],
        "here": here,
        "search": _search_of(request.GET),
        "packages": visible_packages(user).filter(owner=user, basket=False),
        "collections": counted_collections(user),
        "query": query,
        "sides": list(zip(SIDES, sides, strict=True)),
        "filtered": bool(query.collections or wanted.asked() or any(sides)),
        "problems": problems,
    }
    return render(request, "catalogue/list.html", context)


@require_safe
def entry(request: HttpRequest, collection: str, identifier: str) -> HttpResponse:
    """One entry: where it is, what is in it, and its documents for other programs. What is public
    needs no sign-in; anybody may be asked for one in the place of everything else."""
    try:
        item = item_for(_viewer(request), collection, identifier)
    except Gone:
        raise
    except NotFound:
        raise _hidden(request) from None
    context = {
        "item": item,
        "files": files_of(item),
        "views": viewer_buttons(_viewer(request), [item], brief=False).get(item.pk, []),
        "picture": quicklook(item),
        "layers": layers_of_items([item]),
        "links": entry_links(item),
        "job_id": item.job_id,
        "properties": _shown(item),
        "json_ld": json_ld(dataset(facts_of(item, settings.BASE_URL), settings.BASE_URL)),
    }
    page = render(request, "catalogue/entry.html", context)
    return conditional(request, page, max(item.updated_at, item.collection.updated_at))


@require_safe
def collection(request: HttpRequest, identifier: str) -> HttpResponse:
    """One collection: what it is, and the newest that is in it."""
    user = _viewer(request)
    try:
        found = collection_for(user, identifier)
    except NotFound:
        raise _hidden(request) from None
    extent = extents(user, [found])[found.pk]
    query = Search(collections=(identifier,), limit=PER_PAGE, after=request.GET.get("after", ""))
    newest = search(user, query)
    context = {
        "collection": found,
        "page": newest,
        "items": [(item, entry_address(item), quicklook(item)) for item in newest.items],
        "views": viewer_buttons(user, newest.items, brief=True),
        "layers": layers_of_items(newest.items, pictures=False),
        "links": _collection_links(found),
        "period": extent[1:],
        "json_ld": json_ld(collection_dataset(found, extent, settings.BASE_URL)),
    }
    page = render(request, "catalogue/collection.html", context)
    return conditional(request, page, max(found.updated_at, last_change(user, found)))


def _viewer(request: HttpRequest) -> User:
    """Who looks, signed in or not."""
    return cast("User", request.user)


def _hidden(request: HttpRequest) -> Exception:
    """Whether it is hidden or not there: who has not signed in may try that."""
    return NotFound() if request.user.is_authenticated else NotAuthenticated()


def _collection_links(found: Collection) -> list[Link]:
    base, name = settings.BASE_URL, found.identifier
    feed = f"{base}/opensearch/search.atom?parentIdentifier={name}"
    return [
        Link(_("STAC collection"), f"{base}/stac/collections/{name}", "application/json"),
        Link(_("Feed of the newest"), feed, "application/atom+xml"),
        Link(_("ISO 19139 documents"), f"{base}/waf/{name}/", "text/html"),
    ]


def entry_links(item: Item) -> list[Link]:
    """The entry as OWS Context and as STAC."""
    place = f"{item.collection.identifier}/{item.identifier}"
    base = settings.BASE_URL
    stac = f"{base}/stac/collections/{item.collection.identifier}/items/{item.identifier}"
    return [
        *documents_of(f"items/{place}"),
        Link(_("STAC item"), stac, "application/geo+json"),
        Link(_("ISO 19139"), f"{base}/waf/{place}.xml", "application/xml"),
    ]


def _shown(item: Item) -> list[tuple[str, str]]:
    """The properties that are short and not shown elsewhere."""
    elsewhere = {"title", "description", "datetime", "start_datetime", "end_datetime"}
    return [
        (key, str(value))
        for key, value in item.properties.items()
        if key not in elsewhere and isinstance(value, str | int | float) and value != ""
    ]


def _search_of(given: QueryDict) -> str:
    """The address of the same search, without the place in its pages."""
    kept = given.copy()
    for name in ("after", "cursor"):
        kept.pop(name, None)
    return kept.urlencode()
