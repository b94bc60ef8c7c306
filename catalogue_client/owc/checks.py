"""Rules of OWS Context: what an encoding cannot say at all, and what the standard forbids.

The grammar and the JSON schema check neither (they know no Schematron and no offering rules);
`breaches` does, for what the portal itself writes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from catalogue_client.owc.codes import SERVICES, STANDARD
from catalogue_client.owc.dates import is_date_time
from catalogue_client.owc.model import Content, Context, Link, Offering, Resource
from common.errors import InvalidInput

_WEB = re.compile(r"(ftp|http)s?://.*")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD"})
# 12-080r2, clause 7: the operations that a service's offering must have.
_OPERATIONS = {
    "wms": ("GetCapabilities", "GetMap"),
    "wfs": ("GetCapabilities", "GetFeature"),
    "wcs": ("GetCapabilities", "GetCoverage"),
    "wps": ("GetCapabilities", "Execute"),
    "csw": ("GetCapabilities", "GetRecords"),
    "wmts": ("GetCapabilities", "GetTile"),
}
_REPEATABLE = frozenset({"GetTile"})


def require_writable(context: Context) -> None:
    """Raises InvalidInput, naming every place, for a context that no encoding can say validly."""
    found = list(_unwritable(context))
    if found:
        raise InvalidInput(found[0], locator="context", errors={"context": found})


def is_writable(part: Offering | Link) -> bool:
    """Whether every encoding can say an offering, or a link, that comes from elsewhere."""
    found = _links("", (part,)) if isinstance(part, Link) else _offering_form("", part)
    return not list(found)


def breaches(context: Context) -> list[str]:
    """The rules of the standard that the context breaks, one sentence each; none is well."""
    found = list(_unwritable(context))
    found += [f"context: {text}" for text in _alike(context.links, ("via",))]
    for resource in context.resources:
        where = f"resource {resource.id}"
        if not (resource.authors or context.authors):
            found.append(f"{where}: it has no author, nor has the context")
        if not (resource.abstract.value or resource.abstract.src):
            found.append(f"{where}: it has no readable content")
        found += [f"{where}: {text}" for text in _alike(resource.links, ("via", "alternate"))]
        for offering in resource.offerings:
            found += [f"{where}: {text}" for text in _offering_rules(offering)]
    return found


def _unwritable(context: Context) -> Iterator[str]:
    yield from _identified("the context", context.id, context.title.value, context.updated)
    if not _LANGUAGE.fullmatch(context.language or "en"):
        yield f"“{context.language}” is no language tag"
    for author in context.authors:
        yield from _author("the context", author.email)
    yield from _links("the context", context.links)
    for resource in context.resources:
        yield from _unwritable_resource(resource)


def _unwritable_resource(resource: Resource) -> Iterator[str]:
    where = f"resource {resource.id}"
    yield from _identified(where, resource.id, resource.title.value, resource.updated)
    for author in resource.authors:
        yield from _author(where, author.email)
    yield from _links(where, resource.links)
    for offering in resource.offerings:
        yield from _offering_form(where, offering)


def _offering_form(where: str, offering: Offering) -> Iterator[str]:
    if not offering.code:
        yield f"{where}: an offering has no code"
    for operation in offering.operations:
        yield from _operation_form(where, operation.code, operation.method, operation.href)
        yield from _content_forms(where, operation.request, operation.result)
    yield from _content_forms(where, *offering.contents)
    for style in offering.styles:
        yield from _content_forms(where, style.content)
        if style.legend_href and not _WEB.fullmatch(style.legend_href):
            yield f"{where}: the legend of {style.name} is not at a web address"


def _identified(where: str, identifier: str, title: str, updated: str) -> Iterator[str]:
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", identifier):
        yield f"{where}: its id is no absolute URI"
    if not title:
        yield f"{where}: it has no title"
    if not is_date_time(updated):
        yield f"{where}: it does not say when it was updated"


def _author(where: str, email: str) -> Iterator[str]:
    if email and not re.fullmatch(r".+@.+", email):
        yield f"{where}: “{email}” is no e-mail address"


def _links(where: str, links: tuple[Link, ...]) -> Iterator[str]:
    for link in links:
        if not link.href:
            yield f"{where}: a link has no address"
        if link.type and not re.fullmatch(r".+/.+", link.type):
            yield f"{where}: “{link.type}” is no media type"
        if link.lang and not _LANGUAGE.fullmatch(link.lang):
            yield f"{where}: “{link.lang}” is no language tag"


def _operation_form(where: str, code: str, method: str, href: str) -> Iterator[str]:
    if not code:
        yield f"{where}: an operation has no code"
    if method not in _METHODS:
        yield f"{where}: {code} has the unknown method “{method}”"
    if not _WEB.fullmatch(href):
        yield f"{where}: {code} is not at a web address"


def _content_forms(where: str, *contents: Content | None) -> Iterator[str]:
    for content in contents:
        if content is None:
            continue
        if not content.type:
            yield f"{where}: a content has no media type"
        if content.href and not _WEB.fullmatch(content.href):
            yield f"{where}: a content is not at a web address"
        if content.href and content.content is not None:
            yield f"{where}: a content is both here and elsewhere"


def _offering_rules(offering: Offering) -> Iterator[str]:
    if offering.code not in STANDARD.values():
        return
    kind = offering.token
    yield from _service_rules(kind, offering) if kind in SERVICES else _data_rules(kind, offering)


def _service_rules(kind: str, offering: Offering) -> Iterator[str]:
    if offering.contents:
        yield f"a {kind} offering has contents"
    codes = Counter(operation.code for operation in offering.operations)
    for needed in _OPERATIONS[kind]:
        if not codes[needed] or (codes[needed] > 1 and needed not in _REPEATABLE):
            yield f"a {kind} offering has {codes[needed]} operations {needed}"


def _data_rules(kind: str, offering: Offering) -> Iterator[str]:
    if offering.operations:
        yield f"a {kind} offering has operations"
    if len(offering.contents) != 1:
        yield f"a {kind} offering has {len(offering.contents)} contents"
    if offering.styles and kind != "gml":
        yield f"a {kind} offering has styles"


def _alike(links: tuple[Link, ...], relations: tuple[str, ...]) -> Iterator[str]:
    seen = Counter((link.rel, link.type, link.lang) for link in links if link.rel in relations)
    for (rel, media_type, _), number in seen.items():
        if number > 1:
            yield f"{number} links {rel} have the type {media_type or 'unknown'}"
