"""A web-accessible folder: plain pages of links to ISO 19139 documents, for the simplest harvester.

Slashes may be doubled, as some harvesters do.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from catalogue_client import selectors
from catalogue_client.access import collection_for, item_for, visible_items
from catalogue_client.doors import base_of, door, plain, stamped, unchanged, unchanged_list
from catalogue_client.metadata.facts import facts_of
from catalogue_client.metadata.iso19139 import md_metadata
from catalogue_client.metadata.markup import safe, seconds
from common.errors import NotFound
from people.models import User

MOST_LINKS = 1000
XML = "application/xml; charset=utf-8"


@door("GET", refusal=plain)
def root(request: HttpRequest, user: User | None, /) -> HttpResponse:
    """A folder for each collection."""

    def answer() -> HttpResponse:
        rows = ((f"/waf/{c.identifier}/", c.title) for c in selectors.collections(user))
        return _page("/waf/", rows)

    return unchanged_list(request, user, answer)


@door("GET", refusal=plain)
def folder(
    request: HttpRequest, user: User | None, /, *, identifier: str, number: str = "1"
) -> HttpResponse:
    """The files of a collection, a thousand a page; first the folders of the pages that follow."""
    collection = collection_for(user, identifier)
    here, page = f"/waf/{identifier}/", int(number)

    def answer() -> HttpResponse:
        items = visible_items(user).filter(collection=collection).order_by("pk")
        pages = -(-items.count() // MOST_LINKS) or 1
        if not 1 <= page <= pages:
            raise NotFound(_("There is no such page."))
        more = range(2, pages + 1) if page == 1 else ()
        rows = [(f"{here}{n}/", "") for n in more]
        start = (page - 1) * MOST_LINKS
        listed = items.values_list("identifier", "updated_at")[start : start + MOST_LINKS]
        rows += [(f"{here}{name}.xml", seconds(moment)) for name, moment in listed]
        return _page(here, rows)

    return unchanged_list(request, user, answer)


@door("GET", refusal=plain)
def file(
    request: HttpRequest, user: User | None, /, *, identifier: str, item_id: str
) -> HttpResponse:
    """One item as `gmd:MD_Metadata`."""
    item = item_for(user, identifier, item_id)
    known = unchanged(request, item, "iso")
    if known is not None:
        return known
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + md_metadata(
        facts_of(item, base_of(request))
    )
    return stamped(HttpResponse(text, content_type=XML), item, "iso")


def _page(here: str, rows: Iterable[tuple[str, str]]) -> HttpResponse:
    """Links with their whole path: the page may have been asked for with or without a slash."""
    links = "".join(
        f'<li><a href="{safe(href)}">{safe(href.removeprefix(here))}</a> {safe(note)}</li>\n'
        for href, note in rows
    )
    return HttpResponse(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{safe(here)}</title>'
        f"</head><body><main><h1>{safe(here)}</h1>\n<ul>\n{links}</ul></main></body></html>\n"
    )
