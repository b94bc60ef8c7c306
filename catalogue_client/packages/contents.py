"""What is in a data package for somebody: only what they could find in the catalogues as well."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace

from django.core.cache import cache
from django.utils.translation import gettext as _

from catalogue_client.access import Viewer, visible_items
from catalogue_client.models import DataPackage, Item, PackageEntry
from catalogue_client.sources.access import visible_sources
from catalogue_client.sources.adapters.embedded import record_of_item
from catalogue_client.sources.ports import Record
from catalogue_client.sources.queries import MOST, query_from
from catalogue_client.sources.searching import Answer, search_each
from common.errors import InvalidInput

KEPT_SECONDS = 600  # that the answer of another catalogue to a saved search is kept
FAILED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A record in a package; `key` names it there."""

    key: str
    record: Record
    entry: PackageEntry


@dataclass(frozen=True, slots=True)
class Contents:
    """Records in the order of their entries, and what is to be said of those that are not there."""

    found: list[Found]
    notes: list[str]


def contents(package: DataPackage, viewer: Viewer, *, searches: bool = True) -> Contents:
    """Everything in it that the viewer may see: entries of the portal by their own visibility,
    those of other catalogues if the viewer may search these.

    With `searches` the saved ones are run: what another catalogue answered is kept for a while.
    """
    entries = list(package.entries.select_related("source"))
    allowed = set(visible_sources(viewer).values_list("pk", flat=True))
    shown = [one for one in entries if one.source_id is None or one.source_id in allowed]
    notes = []
    if len(shown) < len(entries):
        notes.append(_("Some entries are of catalogues that you may not search."))
    own = _own(viewer, [one for one in shown if one.source_id is None and not one.is_search])
    asked = [one for one in shown if one.is_search] if searches else []
    answers = dict(zip([one.pk for one in asked], _run(viewer, asked), strict=True))
    found: list[Found] = []
    for entry in shown:
        if entry.is_search:
            answer = answers.get(entry.pk)
            if answer is not None:
                found += _of_search(entry, answer)
                notes += _said(entry, answer)
        elif entry.source_id is not None:
            record = Record(entry.identifier, entry.collection, entry.document)
            found.append(Found(str(entry.pk), record, entry))
        elif (entry.collection, entry.identifier) in own:
            record = own[entry.collection, entry.identifier]
            found.append(Found(str(entry.pk), record, entry))
    return Contents(found, notes)


def own_items(contents: Contents, viewer: Viewer) -> dict[tuple[str, str], Item]:
    """The entries of the portal that are in it, by collection and identifier."""
    own = (one.record for one in contents.found if one.entry.source_id is None)
    return _items(viewer, {(one.collection, one.id) for one in own})


def _own(viewer: Viewer, entries: Iterable[PackageEntry]) -> dict[tuple[str, str], Record]:
    items = _items(viewer, {(one.collection, one.identifier) for one in entries})
    return {place: record_of_item(item) for place, item in items.items()}


def _items(viewer: Viewer, wanted: Set[tuple[str, str]]) -> dict[tuple[str, str], Item]:
    if not wanted:
        return {}
    items = visible_items(viewer).select_related("collection")
    items = items.filter(
        collection__identifier__in={one[0] for one in wanted},
        identifier__in={one[1] for one in wanted},
    )
    return {(item.collection.identifier, item.identifier): item for item in items}


def _run(viewer: Viewer, entries: list[PackageEntry]) -> list[Answer]:
    """The answers, in the order of the entries; those of other catalogues from the last minutes."""
    kept: dict[int, Answer] = {
        entry.pk: answer
        for entry in entries
        if entry.source_id and (answer := cache.get(_place(entry))) is not None
    }
    left = [entry for entry in entries if entry.pk not in kept]
    searches = [
        (entry.source, query_from({**(entry.query or {}), "limit": MOST})) for entry in left
    ]
    for entry, answer in zip(left, search_each(viewer, searches), strict=True):
        kept[entry.pk] = answer
        if entry.source_id:
            seconds = FAILED_SECONDS if answer.error else KEPT_SECONDS
            cache.set(_place(entry), replace(answer, source=None), seconds)
    return [kept[entry.pk] for entry in entries]


def _place(entry: PackageEntry) -> str:
    return f"package-search:{entry.pk}"


def _of_search(entry: PackageEntry, answer: Answer) -> list[Found]:
    return [
        Found(f"{entry.pk}-{number}", record, entry)
        for number, record in enumerate(answer.page.records, 1)
    ]


def _said(entry: PackageEntry, answer: Answer) -> list[str]:
    said = [*answer.page.warnings, *([answer.error] if answer.error else [])]
    if answer.cursor:
        shown = {"n": len(answer.page.records)}
        said.append(_("Only the first %(n)s entries are shown.") % shown)
    return [f"{entry.title}: {text}" for text in said]


def readable_query(entry: PackageEntry) -> str:
    """A saved search as people read it."""
    try:
        query = query_from(entry.query or {})
    except InvalidInput:
        return ""
    parts = [f"“{query.text}”" if query.text else ""]
    parts += [", ".join(query.collections)]
    if query.bbox:
        parts.append("W {:g} S {:g} E {:g} N {:g}".format(*query.bbox))
    if query.start or query.end:
        parts.append(
            " – ".join(f"{end:%Y-%m-%d}" if end else "…" for end in (query.start, query.end))
        )
    parts += [f"{one.name} {one.operator} {one.value}" for one in query.filters]
    return " · ".join(part for part in parts if part) or _("everything")
