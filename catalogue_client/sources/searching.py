"""Searching one catalogue or several at once; each answers for itself, in its time or not."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace

import structlog
from django.core import signing
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from catalogue_client.access import Viewer
from catalogue_client.models import CatalogueSource
from catalogue_client.sources.access import OWN, visible_sources
from catalogue_client.sources.here import completed
from catalogue_client.sources.ports import Adapter, Endpoint, Page, Query, Record
from catalogue_client.sources.queries import document_of
from catalogue_client.sources.registry import on_the_network, opened_source
from catalogue_client.sources.visit import within
from common.errors import InvalidInput, NotFound, PortalError, ProviderTimeout
from common.pace import count
from people.models import User

log = structlog.get_logger(__name__)

SECONDS = 10.0  # that a source has for its answer
MOST_SOURCES = 10
GRACE = 0.5
_SALT = "catalogue-cursor"
_EMPTY = Page([], frozenset())


@dataclass(frozen=True, slots=True)
class Answer:
    """What one source said, or why nothing. `cursor` continues this search in this source."""

    slug: str
    name: str
    page: Page = _EMPTY
    error: str = ""
    code: str = ""
    cursor: str = ""
    seconds: float = 0.0
    source: CatalogueSource | None = None


def keep_pace(user: User, sources: int = 1) -> None:
    """Count so many searches in other catalogues. Raises RateLimited."""
    text = _("You have searched very often. Try again in a minute.")
    for _one in range(sources):
        count(f"sources-search:{user.pk}", most=300, seconds=60, text=text)


def sources_named(viewer: Viewer, slugs: Sequence[str]) -> list[CatalogueSource | None]:
    """The sources of those names, in that order; None is the portal's own catalogue.

    Raises NotFound for one that the viewer may not search, InvalidInput for too many.
    """
    wanted = list(dict.fromkeys(slugs))
    if len(wanted) > MOST_SOURCES:
        text = _("At most %(most)s sources are searched at once.") % {"most": MOST_SOURCES}
        raise InvalidInput(text, locator="sources")
    found = {one.slug: one for one in visible_sources(viewer).filter(slug__in=wanted)}
    for slug in wanted:
        if slug != OWN and slug not in found:
            raise NotFound(_("There is no source “%(slug)s”.") % {"slug": slug[:40]})
    return [None if slug == OWN else found[slug] for slug in wanted]


def search(
    viewer: Viewer,
    sources: Sequence[CatalogueSource | None],
    query: Query,
    *,
    cursors: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> list[Answer]:
    """One page of each source; who has cursors for some continues in those only.

    Raises InvalidInput for a cursor of another search; what a source does wrong is in its answer.
    """
    asked = [_Asked(viewer, one, query, (cursors or {}).get(_slug(one), "")) for one in sources]
    if cursors:
        asked = [one for one in asked if one.query.cursor is not None]
    return _answers(asked, seconds)


def search_each(
    viewer: Viewer,
    searches: Sequence[tuple[CatalogueSource | None, Query]],
    *,
    seconds: float = SECONDS,
) -> list[Answer]:
    """The first page of each of several searches, asked at once."""
    return _answers([_Asked(viewer, source, query, "") for source, query in searches], seconds)


def _answers(asked: Sequence[_Asked], seconds: float) -> list[Answer]:
    outside = [one for one in asked if on_the_network(one.source)]
    answers: dict[_Asked, Answer] = {}
    # Threads of their own: one that does not come back keeps no other search waiting.
    pool = ThreadPoolExecutor(max_workers=max(len(outside), 1), thread_name_prefix="source")
    running = {pool.submit(copy_context().run, one.answer, seconds): one for one in outside}
    answers |= {one: one.answer(seconds) for one in asked if one not in outside}
    wait(running, timeout=seconds + GRACE)
    pool.shutdown(wait=False, cancel_futures=True)
    for future, one in running.items():
        late = not future.done() or future.cancelled()
        answers[one] = one.failed(_late(), seconds) if late else future.result()
    return [answers[one] for one in asked]


def record_in(
    viewer: Viewer, source: CatalogueSource | None, collection: str, identifier: str
) -> Record:
    """One record of a source. Raises NotFound, ProviderError."""
    adapter, endpoint = opened_source(source, viewer)
    with within(SECONDS):
        found = adapter.get(endpoint, collection, identifier)
    if found is None:
        raise NotFound(_("The catalogue has no such entry."))
    return found


def _late() -> ProviderTimeout:
    return ProviderTimeout(_("The catalogue did not answer in time."))


class _Asked:
    """A search in one source: everything that it needs is read before a thread runs it."""

    def __init__(
        self, viewer: Viewer, source: CatalogueSource | None, query: Query, cursor: str
    ) -> None:
        self.source, self.slug = source, _slug(source)
        self.query = replace(query, cursor=_opened(cursor, self.slug, query) if cursor else None)
        self._name = source.name if source else _("This portal")
        self._language = get_language()
        self._opened: tuple[Adapter, Endpoint] | PortalError
        try:
            self._opened = opened_source(source, viewer)
        except PortalError as error:  # its secrets were encrypted with another key
            self._opened = error

    def answer(self, seconds: float) -> Answer:
        begun = time.monotonic()
        with override(self._language):
            try:
                if isinstance(self._opened, PortalError):
                    raise self._opened
                adapter, endpoint = self._opened
                with within(seconds):
                    page = completed(adapter.search(endpoint, self.query), self.query)
            except PortalError as error:
                return self.failed(error, time.monotonic() - begun)
        cursor = _signed(page, self.slug, self.query)
        spent = time.monotonic() - begun
        return Answer(self.slug, self._name, page, cursor=cursor, seconds=spent, source=self.source)

    def failed(self, error: PortalError, seconds: float) -> Answer:
        log.info("source.failed", source=self.slug, code=error.code, detail=error.detail)
        return Answer(
            self.slug, self._name, error=error.detail, code=error.code, seconds=seconds,
            source=self.source,
        )  # fmt: skip


def _slug(source: CatalogueSource | None) -> str:
    return source.slug if source else OWN


def _signed(page: Page, slug: str, query: Query) -> str:
    if page.cursor is None:
        return ""
    said = {"s": slug, "q": _digest(query), "c": page.cursor}
    return signing.dumps(said, salt=_SALT, compress=True)


def _opened(text: str, slug: str, query: Query) -> Mapping[str, object]:
    """The cursor, which nobody but the portal has written: addresses in it are asked."""
    try:
        said = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        said = {}
    if said.get("s") != slug or said.get("q") != _digest(query):
        raise InvalidInput(_("This cursor is not of this search."), locator="cursors")
    cursor: Mapping[str, object] = said["c"]
    return cursor


def _digest(query: Query) -> str:
    text = json.dumps([document_of(query), query.limit], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
