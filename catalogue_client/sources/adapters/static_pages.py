"""Static STAC in pages: a walk along the links, depth first, that can be gone on with later."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from catalogue_client.sources.adapters.crawled import Crawled
from catalogue_client.sources.adapters.static_stac import DEEPEST, MOST_DOCUMENTS
from catalogue_client.sources.ports import Endpoint, Page, Query, Record
from catalogue_client.sources.records import NoRecordError, record_of
from catalogue_client.sources.visit import Visit
from common.errors import PortalError, ProviderNonsense

AT_ONCE = 25  # documents of a page
SECONDS = 20.0  # after which a page ends
JSON = "application/json, application/geo+json"
CATALOGUES = ("Catalog", "Collection")


class StaticPages(Crawled):
    """The place of the walk is kept as the documents that lead to it, and how many of the links of
    each have been followed. The crawl that searches need has no such place to go on from."""

    def search(self, endpoint: Endpoint, query: Query) -> Page:
        """The next documents. `cut` when something could not be read or was too much."""
        given = query.cursor or {"path": [[endpoint.url, "", 0, ""]], "read": 0}
        most = min(query.limit, AT_ONCE)
        walk = _Walk(Visit(endpoint, seconds=2 * SECONDS, most=most + 2 * DEEPEST), given)
        walk.go(most)
        cursor = {"path": walk.path, "read": walk.read} if walk.path else None
        notes, bad = tuple(dict.fromkeys(walk.notes)), tuple(walk.bad)
        return Page(walk.records, frozenset(), cursor, None, notes, bad, cut=bool(walk.notes))


@dataclass
class _Walk:
    """`path`: address, collection, links followed, and what the links were, from the root on."""

    visit: Visit
    cursor: Mapping[str, Any]
    path: list[list[Any]] = field(default_factory=list)
    read: int = 0
    records: list[Record] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    known: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path = [list(step) for step in self.cursor["path"]]
        self.read = int(self.cursor["read"])

    def go(self, most: int) -> None:
        """Read so many documents, as long as there is time."""
        end, last = time.monotonic() + SECONDS, self.read + most
        while self.path and self.read < last and time.monotonic() < end:
            if self.read >= MOST_DOCUMENTS:
                self.notes.append(_("The walk stopped after %(n)s documents.") % {"n": self.read})
                self.path.clear()
                return
            step = self.path[-1]
            inner = self._inner(step)
            if step[2] >= len(inner):
                self.path.pop()
                continue
            address = inner[step[2]]
            step[2] += 1
            self.read += 1
            if address not in {url for url, *_rest in self.path}:
                self._follow(address, str(step[1]))

    def _inner(self, step: list[Any]) -> list[str]:
        """What a document on the path leads to, once for each page."""
        url = str(step[0])
        if url not in self.known:
            document, base = self.visit.json(url, accept=JSON)
            if document.get("type") not in CATALOGUES:
                raise ProviderNonsense(_("The server's answer is no STAC catalogue."))
            if document.get("type") == "Collection":
                step[1] = str(document.get("id") or step[1])[:500]
            self._enter(url, document, base)
        inner = self.known[url]
        print_of = hashlib.blake2b("\n".join(inner).encode(), digest_size=8).hexdigest()
        if step[3] not in ("", print_of):
            self.notes.append(_("The catalogue changed while it was read."))
        step[3] = print_of
        return inner

    def _follow(self, address: str, collection: str) -> None:
        name = address.rpartition("/")[2][:200] or address[-200:]
        try:
            document, base = self.visit.json(address, accept=JSON)
        except PortalError as error:
            self.bad.append((name, error.detail))
            self.notes.append(error.detail)
            return
        if document.get("type") == "Feature":
            try:
                self.records.append(record_of(document, base, collection=collection))
            except NoRecordError as error:
                self.bad.append((name, str(error)))
            return
        if document.get("type") not in CATALOGUES:
            self.bad.append((name, _("The server's answer is no STAC catalogue.")))
            self.notes.append(_("The server's answer is no STAC catalogue."))
            return
        if len(self.path) > DEEPEST:
            self.notes.append(_("Links lead deeper than %(most)s levels.") % {"most": DEEPEST})
            return
        if document.get("type") == "Collection":
            collection = str(document.get("id") or collection)[:500]
        self._enter(address, document, base)
        self.path.append([address, collection, 0, ""])

    def _enter(self, url: str, document: Mapping[str, Any], base: str) -> None:
        links, found = document.get("links"), []
        for link in links if isinstance(links, list) else ():
            if isinstance(link, Mapping) and link.get("rel") in ("child", "item"):
                try:
                    found.append(self.visit.own(base, link.get("href")))
                except PortalError as error:
                    self.notes.append(error.detail)
        self.known[url] = list(dict.fromkeys(found))
