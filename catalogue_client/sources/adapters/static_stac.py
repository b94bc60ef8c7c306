"""Static STAC: files that link to each other. They are read once in the background, bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from catalogue_client.sources.ports import Endpoint, Record
from catalogue_client.sources.records import NoRecordError, record_of
from catalogue_client.sources.visit import Visit
from common.errors import PortalError, ProviderNonsense

DEEPEST = 12  # levels of links
MOST_ITEMS = 10_000
MOST_DOCUMENTS = 12_000
SECONDS = 1800.0
MOST_NOTES = 20


@dataclass(frozen=True, slots=True)
class _Place:
    """A document to read, the collection above it, and how many links deep it is."""

    url: str
    collection: str = ""
    depth: int = 0


@dataclass
class Crawl:
    """A walk through a catalogue. Afterwards `complete` says whether all of it was seen, and
    `notes` what was not."""

    endpoint: Endpoint
    go_on: Callable[[], bool] = lambda: True
    complete: bool = True
    notes: list[str] = field(default_factory=list)

    def records(self) -> Iterator[Record]:
        """Every item, as the links lead to it, breadth first."""
        visit = Visit(self.endpoint, seconds=SECONDS, most=MOST_DOCUMENTS)
        waiting: deque[_Place] = deque([_Place(self.endpoint.url)])
        seen = {self.endpoint.url}
        found = 0
        while waiting:
            if found >= MOST_ITEMS or not self.go_on():
                self._note(_("The crawl stopped after %(n)s items.") % {"n": found})
                return
            place = waiting.popleft()
            document, base = self._read(visit, place)
            if document.get("type") == "Feature":
                for record in self._item(document, base, place):
                    found += 1
                    yield record
                continue
            collection = place.collection
            if document.get("type") == "Collection":
                collection = str(document.get("id") or collection)
            for address in self._inner(visit, document, base):
                if address not in seen and len(seen) < MOST_DOCUMENTS:
                    seen.add(address)
                    self._deeper(waiting, _Place(address, collection, place.depth + 1))

    def _read(self, visit: Visit, place: _Place) -> tuple[dict[str, Any], str]:
        """The document; an empty one when it cannot be had. The first must be there."""
        try:
            return visit.json(place.url, accept="application/json, application/geo+json")
        except PortalError as error:
            if place.depth == 0:
                raise
            self._note(error.detail)
            return {}, place.url

    def _item(self, document: dict[str, Any], base: str, place: _Place) -> Iterator[Record]:
        try:
            yield record_of(document, base, collection=place.collection)
        except NoRecordError:
            self._note(_("An item has no id."))

    def _deeper(self, waiting: deque[_Place], one: _Place) -> None:
        if one.depth > DEEPEST:
            self._note(_("Links lead deeper than %(most)s levels.") % {"most": DEEPEST})
        else:
            waiting.append(one)

    def _inner(self, visit: Visit, document: Mapping[str, Any], base: str) -> Iterator[str]:
        """What the document leads to, at the same server."""
        links = document.get("links")
        for link in links if isinstance(links, list) else ():
            if isinstance(link, Mapping) and link.get("rel") in ("child", "item"):
                try:
                    yield visit.own(base, link.get("href"))
                except PortalError as error:
                    self._note(error.detail)

    def _note(self, text: str) -> None:
        """What was left out: the crawl is not complete then."""
        self.complete = False
        if text not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes.append(text)


def title_of_static(endpoint: Endpoint) -> tuple[str, str]:
    """Title and description of a static catalogue.

    Raises ProviderNonsense when the address is none, and for a STAC API, which can be searched.
    """
    document, _base = Visit(endpoint).json(endpoint.url)
    if document.get("type") not in ("Catalog", "Collection") or "stac_version" not in document:
        raise ProviderNonsense(_("The server's answer is no STAC catalogue."))
    title = str(document.get("title") or document.get("id") or "")
    return title, str(document.get("description") or "")
