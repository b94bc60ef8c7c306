"""Two-step search (CEOS OpenSearch Best Practice, OGC 13-026): collections first, and what is in
each by the description that its own entry leads to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext as _

from catalogue_client.sources import ports
from catalogue_client.sources.adapters.opensearch.answers import read_answer
from catalogue_client.sources.adapters.opensearch.description import Template, templates_in
from catalogue_client.sources.ports import CollectionInfo, Endpoint, Page, Query
from catalogue_client.sources.visit import Visit
from common.errors import PortalError, ProviderNonsense
from common.xml import Element, local_name

DESCRIPTION = "application/opensearchdescription+xml, application/xml"
KEPT_SECONDS = 600
MOST_LISTED = 200
MOST_WALKED = 20  # collections that are searched when none is named
PARENT = "eo:parentIdentifier"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection, and where the description of the search in it is ("": nowhere)."""

    info: CollectionInfo
    description: str


def is_needed(facts: Mapping[str, Any], collections: tuple[str, ...]) -> bool:
    """Whether the catalogue's own template cannot search those collections (none: all of them)."""
    if "collections" not in facts:
        return False
    if "results" not in facts:
        return True
    template = Template(**facts["results"])
    if collections:
        return PARENT not in template.names
    return PARENT in template.required


def templates_of(root: Element, visit: Visit, base: str) -> dict[str, dict[str, Any]]:
    """The templates of a description, at this server, for "results" and "collections".

    Raises ProviderNonsense for what is no description.
    """
    if local_name(root) != "OpenSearchDescription":
        raise ProviderNonsense(_("The server's answer is no OpenSearch description."))
    found: dict[str, dict[str, Any]] = {}
    for one in templates_in(root):
        try:
            visit.own(base, one.filled({}))
        except PortalError:
            continue
        for name, rels in (("results", {"results", "search"}), ("collections", {"collection"})):
            if rels & set(one.rels):
                found.setdefault(name, _kept(visit, base, one))
    return found


def shelves(endpoint: Endpoint) -> dict[str, Shelf]:
    """The collections by their identifiers, MOST_LISTED at most."""
    kept = endpoint.facts.get("collections")
    if not kept:
        return {}
    return _remembered(endpoint, "shelves", lambda: _listed(endpoint, Template(**kept)))


def search(endpoint: Endpoint, query: Query, search_in: Callable[[Endpoint, Query], Page]) -> Page:
    """A page of one collection after the other: of those named, or of the first of all."""
    there = shelves(endpoint)
    names = list(query.collections or there)
    warnings: list[str] = []
    if not query.collections and len(names) > MOST_WALKED:
        text = _("Only the first %(most)s collections are searched: choose some.")
        warnings.append(text % {"most": MOST_WALKED})
        names = names[:MOST_WALKED]
    cursor = dict(query.cursor or {})
    number = int(cursor.pop("shelf", 0))
    for at in range(number, len(names)):
        inside = inner(endpoint, names[at])
        if inside is None:
            warnings.append(_("There is no search in the collection “%(name)s”.")
                            % {"name": names[at][:60]})  # fmt: skip
            continue
        asked = replace(query, collections=(), cursor=(cursor or None) if at == number else None)
        page = search_in(inside, asked)
        following = {"shelf": at, **page.cursor} if page.cursor else {"shelf": at + 1}
        is_last = page.cursor is None and at + 1 == len(names)
        if page.records or is_last:
            return replace(
                page,
                records=[replace(one, collection=names[at]) for one in page.records],
                done=page.done | ({ports.COLLECTIONS} if query.collections else set()),
                cursor=None if is_last else following,
                matched=page.matched if len(names) == 1 else None,
                warnings=(*warnings, *page.warnings),
                cut=page.cut or bool(warnings),
            )
        warnings += page.warnings
    done = query.asked() & frozenset({ports.COLLECTIONS})
    return Page([], done, None, None, tuple(warnings), cut=bool(warnings))


def inner(endpoint: Endpoint, name: str) -> Endpoint | None:
    """The endpoint of the search in that collection; None when there is none."""
    shelf = shelves(endpoint).get(name)
    if shelf is None or not shelf.description:
        return None

    def described() -> dict[str, Any]:
        visit = Visit(endpoint)
        root, base = visit.xml(shelf.description, accept=DESCRIPTION)
        return templates_of(root, visit, base)

    found = _remembered(endpoint, f"inner {shelf.description}", described)
    return replace(endpoint, facts={"results": found["results"]}) if "results" in found else None


def sample(endpoint: Endpoint) -> Template:
    """A template that tells what can be asked of results: where the catalogue has none of its own,
    that of the first collection with a description. Raises ProviderNonsense."""
    if "results" in endpoint.facts:
        return Template(**endpoint.facts["results"])
    for name in shelves(endpoint):
        inside = inner(endpoint, name)
        if inside is not None:
            return Template(**inside.facts["results"])
    raise ProviderNonsense(_("None of the catalogue's collections can be searched."))


def _listed(endpoint: Endpoint, template: Template) -> dict[str, Shelf]:
    visit = Visit(endpoint)
    answer = visit.raw(template.filled({"count": str(MOST_LISTED)}), accept=template.media_type)
    read = read_answer(answer.body, answer.headers.get("content-type", ""), answer.url).read
    return {
        one.id: Shelf(
            CollectionInfo(
                one.id, one.title, str(one.document["properties"].get("description", ""))
            ),
            _description_of(visit, answer.url, one.document["links"]),
        )
        for one in read.records[:MOST_LISTED]
    }


def _description_of(visit: Visit, base: str, links: list[dict[str, Any]]) -> str:
    for link in links:
        if link["rel"] == "search" and "opensearchdescription" in str(link.get("type", "")):
            try:
                return visit.own(base, link["href"])
            except PortalError:
                continue
    return ""


def _kept(visit: Visit, base: str, template: Template) -> dict[str, Any]:
    """The template with an absolute address, as it is stored."""
    start = template.template.partition("{")[0]
    address = visit.own(base, start) if start else base
    return {**asdict(template), "template": address + template.template[len(start) :]}


def _remembered(endpoint: Endpoint, what: str, ask: Callable[[], Any]) -> Any:
    """What was asked a moment ago with the same credentials."""
    said = repr((endpoint.url, endpoint.username, endpoint.password, endpoint.headers, what))
    key = f"catalogue.opensearch.{blake2b(said.encode(), digest_size=20).hexdigest()}"
    return cache.get_or_set(key, ask, KEPT_SECONDS)
