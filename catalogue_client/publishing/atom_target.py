"""An index that takes Atom feeds as a target: one POST for the job with its results, read back by
id, removed by query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from django.conf import settings
from django.utils.translation import gettext as _

from catalogue_client.contexts import context_of
from catalogue_client.models import Item, PublishTarget
from catalogue_client.owc import Category, Context, Link, Resource, atom
from catalogue_client.publishing.calls import check, send
from common.errors import InvalidInput, ProviderError, ProviderRefused
from common.xml import ATOM, parse

ATOM_TYPE = "application/atom+xml"
DC = "http://purl.org/dc/elements/1.1/"
JOB_SCHEME = "urn:tep-portal:job"
ABSENT = (404, 410)


def publish(target: PublishTarget, item: Item, known: Mapping[str, Any]) -> dict[str, Any]:
    """Have the job and its results there; an entry of the same id is overwritten by the index.

    Entries of an earlier revision that are no more are removed. Raises ProviderRefused, or
    ProviderError when it may succeed later.
    """
    context, ids = outgoing(item)
    body = atom(context)
    answer = send(target, "POST", _base(target) + "/", body=body, headers=_typed())
    check(answer)
    _check_report(answer.body)
    for identifier in set(known.get("ids", ())) - set(ids):
        _remove(target, identifier)
    if not all(_there(target, identifier) for identifier in ids):
        raise ProviderError(_("The catalogue does not show the record yet."))
    return {"ids": ids}


def remove(target: PublishTarget, item: Item, known: Mapping[str, Any]) -> list[str]:
    """Take all entries away; the ids of those that stay there all the same."""
    ids = known.get("ids") or outgoing(item)[1]
    for identifier in ids:
        _remove(target, identifier)
    return [identifier for identifier in ids if _there(target, identifier)]


def outgoing(item: Item) -> tuple[Context, list[str]]:
    """The feed, the job first, then its results; and the identifiers of its entries."""
    context = context_of(item, settings.BASE_URL)
    job, others = _job_first(context)
    entries, ids = [], []
    for number, resource in enumerate([job, *others]):
        identifier = item.identifier if number == 0 else f"{item.identifier}.{number}"
        tags = [Category(str(item.job_id), JOB_SCHEME)]
        links = resource.links
        if number:
            tags.append(Category("jobresult"))
            links = (*links, Link("results", job.id, ATOM_TYPE))
        ids.append(identifier)
        entries.append(
            replace(
                resource,
                categories=(*resource.categories, *tags),
                links=links,
                foreign=(*resource.foreign, _identifier(identifier)),
            )
        )
    return replace(context, resources=tuple(entries)), ids


def _job_first(context: Context) -> tuple[Resource, list[Resource]]:
    job = next((r for r in context.resources if r.folder == "processing"), context.resources[0])
    return replace(job, title=context.title), [r for r in context.resources if r is not job]


def _identifier(text: str) -> str:
    return f'<dc:identifier xmlns:dc="{DC}">{escape(text)}</dc:identifier>'


def _check_report(body: bytes) -> None:
    """An index answers {added, updated, deleted, errors, items}; errors count in spite of a 200."""
    try:
        report = json.loads(body)
    except ValueError:
        return
    errors = report.get("errors") if isinstance(report, dict) else None
    if errors:
        raise ProviderRefused(_("The catalogue reports errors in the record."))


def _remove(target: PublishTarget, identifier: str) -> None:
    answer = send(target, "DELETE", f"{_base(target)}/query?uid={quote(identifier, safe='')}")
    if answer.status not in ABSENT:
        check(answer)


def _there(target: PublishTarget, identifier: str) -> bool:
    place = f"{_base(target)}/search?format=atom&uid={quote(identifier, safe='')}"
    answer = send(target, "GET", place, headers={"Accept": ATOM_TYPE})
    if answer.status in ABSENT:
        return False
    check(answer)
    try:
        root = parse(answer.body, what=_("the catalogue's answer"))
    except InvalidInput as error:
        raise ProviderError(error.detail) from None
    found = (e.findtext(f"{{{DC}}}identifier") for e in root.iter(f"{{{ATOM}}}entry"))
    return identifier in found


def _typed() -> dict[str, str]:
    return {"Content-Type": ATOM_TYPE}


def _base(target: PublishTarget) -> str:
    return target.url.rstrip("/")
