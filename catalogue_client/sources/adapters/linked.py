"""What JSON catalogues have in common: links to what follows, lists of collections."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.utils.translation import gettext as _

from catalogue_client.sources.ports import CollectionInfo
from catalogue_client.sources.visit import Visit
from common.errors import PortalError, ProviderNonsense

MOST_PAGES = 20  # of a list of collections
MOST_COLLECTIONS = 2000
MOST_CURSOR = 6000  # bytes
DEEPEST = 500  # pages that a search is continued

Cursor = Mapping[str, Any]


def links_of(document: Mapping[str, Any], rel: str) -> list[dict[str, Any]]:
    """The links of that relation."""
    links = document.get("links")
    found = links if isinstance(links, list) else []
    return [link for link in found if isinstance(link, dict) and link.get("rel") == rel]


def narrowest(text: str) -> str:
    """The word to send to a catalogue of which nobody knows what it makes of several: the longest
    finds whatever all of them would; the others are applied here."""
    return max(text.split(), key=len, default="")


def link_to(visit: Visit, document: Mapping[str, Any], base: str, rel: str) -> str:
    """The address of the first link of that relation; "" when there is none.

    Raises AddressRefused when it is at another origin.
    """
    found = links_of(document, rel)
    gets = [link for link in found if str(link.get("method", "GET")).upper() == "GET"] or found
    return visit.own(base, gets[0].get("href")) if gets else ""


def listed(visit: Visit, url: str, member: str) -> list[CollectionInfo]:
    """All collections of a list in pages, as far as it goes on and is not endless."""
    found: dict[str, CollectionInfo] = {}
    for _page in range(MOST_PAGES):
        document, base = visit.json(url)
        entries = document.get(member)
        if not isinstance(entries, list):
            raise ProviderNonsense(_("The catalogue's list of collections is none."))
        before = len(found)
        for one in entries:
            identifier = one.get("id") if isinstance(one, dict) else None
            if isinstance(identifier, str) and identifier:
                title = str(one.get("title") or identifier)
                text = str(one.get("description") or "")
                found.setdefault(identifier, CollectionInfo(identifier, title, text))
        onward = link_to(visit, document, base, "next")
        if not onward or onward == url or len(found) in (before, MOST_COLLECTIONS):
            break
        url = onward
    return list(found.values())[:MOST_COLLECTIONS]


def open_cursor(visit: Visit, cursor: Cursor, accept: str) -> tuple[dict[str, Any], str]:
    """The page that a cursor leads to."""
    return visit.json(str(cursor["href"]), body=cursor.get("body"), accept=accept)


def cursor_of(
    visit: Visit,
    answer: Mapping[str, Any],
    base: str,
    before: Cursor | None,
    *,
    sent: Mapping[str, Any],
    ids: Sequence[str],
) -> tuple[Cursor | None, list[str]]:
    """What leads to the next page, and why there is none although the catalogue says so.

    None after a page without entries, after DEEPEST pages, for a page that was the one before, and
    for a link that leads to another server.
    """
    links = links_of(answer, "next")
    if not links or not ids:
        return None, []
    link = links[0]
    try:
        href = visit.own(base, link.get("href"))
    except PortalError as error:
        return None, [error.detail]
    cursor: dict[str, Any] = {"href": href}
    if str(link.get("method", "GET")).upper() == "POST":
        given = link.get("body")
        body: dict[str, Any] = given if isinstance(given, dict) else {}
        was: Mapping[str, Any] = (before or {}).get("body") or sent
        cursor["body"] = {**was, **body} if link.get("merge") else body
    return continued(cursor, before, ids)


def continued(
    cursor: dict[str, Any], before: Cursor | None, ids: Sequence[str]
) -> tuple[Cursor | None, list[str]]:
    """The cursor if it goes on: not without end, and not to what was just shown."""
    page = int(before.get("page", 1)) + 1 if before else 2
    seen = hashlib.blake2b("\n".join(ids).encode(), digest_size=8).hexdigest()
    if page > DEEPEST:
        return None, [_("The catalogue goes on without end; its pages are not followed further.")]
    if before is not None and seen == before.get("seen"):
        return None, [_("The catalogue's next page is the same page again.")]
    cursor = {**cursor, "page": page, "seen": seen}
    if len(orjson.dumps(cursor)) > MOST_CURSOR:
        return None, [_("The address of the catalogue's next page is too long to be followed.")]
    return cursor, []


def counted_anew(cursor: Cursor) -> Cursor:
    """The same place for who counts the pages himself."""
    return {**cursor, "page": 1}
