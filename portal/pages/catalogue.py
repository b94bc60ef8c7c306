"""The catalogue: search with a map, and the page of an entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalogue_client.access import item_for
from catalogue_client.geometry import Box, checked_box
from catalogue_client.models import Item
from catalogue_client.selectors import Search, counted_collections, search
from common.errors import InvalidInput
from portal.forms.occurrences import SIDES
from portal.pages.scenes import entry_address, files_of, layers_of_items, quicklook

if TYPE_CHECKING:
    from people.models import User

PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Link:
    """A document about an entry, for other programs."""

    label: str
    href: str
    media_type: str


@login_required
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Search by words, collection and box; everything is in the address."""
    user = cast("User", request.user)
    sides = [request.GET.get(side, "").strip() for side in SIDES]
    box, problem = _box(sides)
    query = Search(
        collections=tuple(c for c in [request.GET.get("collection", "")] if c),
        text=request.GET.get("text", "").strip()[:200],
        bbox=box,
        limit=PER_PAGE,
        after=request.GET.get("after", ""),
    )
    page = search(user, query)
    context = {
        "page": page,
        "items": [(item, entry_address(item), quicklook(item)) for item in page.items],
        "layers": layers_of_items(page.items, pictures=False),
        "collections": counted_collections(user),
        "query": query,
        "sides": list(zip(SIDES, sides, strict=True)),
        "filtered": bool(query.collections or query.text or any(sides)),
        "problem": problem,
    }
    return render(request, "catalogue/list.html", context)


@login_required
@require_safe
def entry(request: HttpRequest, collection: str, identifier: str) -> HttpResponse:
    """One entry: where it is, what is in it, and its documents for other programs."""
    user = cast("User", request.user)
    item = item_for(user, collection, identifier)
    context = {
        "item": item,
        "files": files_of(item),
        "picture": quicklook(item),
        "layers": layers_of_items([item]),
        "links": entry_links(item),
        "job_id": item.job_id,
        "properties": _shown(item),
    }
    return render(request, "catalogue/entry.html", context)


def entry_links(item: Item) -> list[Link]:
    """The entry as OWS Context and as STAC."""
    place = f"{item.collection.identifier}/{item.identifier}"
    base = settings.BASE_URL
    stac = f"{base}/stac/collections/{item.collection.identifier}/items/{item.identifier}"
    return [
        Link(_("OWS Context, Atom"), f"{base}/owc/items/{place}.atom", "application/atom+xml"),
        Link(
            _("OWS Context, GeoJSON"), f"{base}/owc/items/{place}.geojson", "application/geo+json"
        ),
        Link(_("STAC item"), stac, "application/geo+json"),
    ]


def _shown(item: Item) -> list[tuple[str, str]]:
    """The properties that are short and not shown elsewhere."""
    elsewhere = {"title", "description", "datetime", "start_datetime", "end_datetime"}
    return [
        (key, str(value))
        for key, value in item.properties.items()
        if key not in elsewhere and isinstance(value, str | int | float) and value != ""
    ]


def _box(sides: list[str]) -> tuple[Box | None, str]:
    """The box of the search, and what is wrong with it."""
    if not any(sides):
        return None, ""
    try:
        box = checked_box([float(side.replace(",", ".")) for side in sides])
    except (ValueError, InvalidInput):
        return None, _("The box needs west, south, east and north in degrees; it is not used.")
    return box, ""
