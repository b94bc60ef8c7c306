"""For search engines: the map of public pages, what robots may read, and data in pages."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from catalogue_client.access import visible_collections, visible_items
from catalogue_client.doors import PUBLIC, unchanged_list
from catalogue_client.metadata.markup import safe, seconds

MOST_ADDRESSES = 45_000  # of the 50,000 that a file may name: there are collections too
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_ESCAPES = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """The pages of what is public; in parts, when there are more than one file may name."""

    def answer() -> HttpResponse:
        parts = -(-visible_items(None).count() // MOST_ADDRESSES)
        if parts > 1:
            base = settings.BASE_URL
            rows = ((f"{base}/sitemap-{number}.xml", None) for number in range(1, parts + 1))
            return _xml("sitemapindex", "sitemap", rows)
        return _part(1)

    return _kept(request, answer)


@require_safe
def sitemap_part(request: HttpRequest, number: int) -> HttpResponse:
    """One file of many."""
    return _kept(request, lambda: _part(number))


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What robots should leave alone: answers to searches, and what is for programs."""
    del request
    closed = ("/catalogue/?", "/stac/search", "/opensearch/search", "/csw", "/oai", "/api/")
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in (*closed, "/accounts/", "/admin/"))]
    text = "\n".join([*lines, f"Sitemap: {settings.BASE_URL}/sitemap.xml", ""])
    return HttpResponse(
        text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": PUBLIC}
    )


def json_ld(document: dict[str, Any]) -> SafeString:
    """The document as it may stand in a script element."""
    text = json.dumps(document, ensure_ascii=False).translate(_ESCAPES)
    return mark_safe(text)  # noqa: S308 (nothing in it can end the element)


def _part(number: int) -> HttpResponse:
    start = (number - 1) * MOST_ADDRESSES
    items = visible_items(None).order_by("pk").values_list(
        "collection__identifier", "identifier", "updated_at"
    )[start : start + MOST_ADDRESSES]  # fmt: skip
    rows = [(f"{settings.BASE_URL}/catalogue/{c}/{name}/", at) for c, name, at in items.iterator()]
    if number > 1 and not rows:
        raise Http404
    return _xml("urlset", "url", [*(_collections() if number == 1 else ()), *rows])


def _collections() -> Iterator[tuple[str, datetime]]:
    for identifier, at in visible_collections(None).values_list("identifier", "updated_at"):
        yield f"{settings.BASE_URL}/catalogue/{identifier}/", at


def _xml(whole: str, one: str, rows: Iterable[tuple[str, datetime | None]]) -> HttpResponse:
    listed = "".join(
        f"<{one}><loc>{safe(address)}</loc>"
        + (f"<lastmod>{seconds(moment)}</lastmod>" if moment else "")
        + f"</{one}>\n"
        for address, moment in rows
    )
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{whole} xmlns="{SITEMAP}">\n{listed}</{whole}>\n'
    )
    return HttpResponse(text, content_type="application/xml; charset=utf-8")


def _kept(request: HttpRequest, answer: Any) -> HttpResponse:
    """The same for everybody, whoever asks."""
    response = unchanged_list(request, None, answer)
    response["Cache-Control"] = PUBLIC
    return response
