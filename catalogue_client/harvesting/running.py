"""Reading a source page by page. What a page brought is committed together with the place where the
next one begins: whoever dies, the next goes on there, and nothing counts twice.

What a full pass did not see is taken away only after it came to the end of everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from catalogue_client.harvesting.documents import changed_at, key_of
from catalogue_client.harvesting.registry import HARVESTED, endpoint_of
from catalogue_client.harvesting.storing import note, remove, store
from catalogue_client.harvesting.timing import interval, pause, starts_full
from catalogue_client.models import (
    HarvestedItem,
    HarvestRun,
    HarvestSource,
    HarvestState,
    RunMode,
    RunState,
)
from catalogue_client.models.harvest import OPEN_RUNS
from catalogue_client.sources import ports
from catalogue_client.sources.adapters.linked import counted_anew
from catalogue_client.sources.adapters.oai_pmh import FORGOTTEN
from catalogue_client.sources.ports import Page, Query
from catalogue_client.sources.visit import within
from common.clock import now
from common.errors import PortalError, ProviderRefused

PAGE = 100  # records
PAGE_SECONDS = 40.0
MOST_PAGES = 50_000
MOST_SECONDS = 12 * 3600.0
MOST_TRIES = 6  # of one page
MOST_NOTES = 20
FEW = 10  # records that may always go
# Of the same moment some may still be on their way, and clocks differ.
OVERLAP = timedelta(hours=1)
_CLOSED = (401, 403, 404, 410)


def work(source_id: int, go_on: Callable[[], bool]) -> datetime | None:
    """Do a slice of what the source needs, as long as `go_on` says so; when it is due again.

    Calls the network: not inside a transaction.
    """
    source = HarvestSource.objects.filter(pk=source_id).first()
    if source is None:
        return None
    if source.state == HarvestState.LEAVING:
        return _leave(source, go_on)
    run = _present_run(source_id)
    return _read_on(run, go_on) if run is not None else None


def _read_on(run: HarvestRun, go_on: Callable[[], bool]) -> datetime | None:
    while run.state in (RunState.RUNNING, RunState.REMOVING) and go_on():
        try:
            following = _remove_some(run) if run.state == RunState.REMOVING else _page(run)
        except PortalError as error:
            return _failed(run, error)
        if following is None:  # somebody else went on with it, or stopped it
            return now() + timedelta(seconds=1)
        run = following
    if run.state == RunState.HELD:
        return None
    return now() if run.open else now() + interval(run.source)


def missing(run: HarvestRun) -> QuerySet[HarvestedItem]:
    """The live records of its source that a full pass has not seen."""
    live = HarvestedItem.objects.filter(source=run.source_id, removed_at=None)
    return live.filter(full_run__lt=run.pk)


@transaction.atomic
def _present_run(source_id: int) -> HarvestRun | None:
    """The run that is open, or a new one; None for a source that is not to be read."""
    source = HarvestSource.objects.select_for_update().filter(pk=source_id).first()
    if source is None or source.state != HarvestState.ACTIVE or not source.pulled:
        return None
    runs = HarvestRun.objects.select_related("source").exclude(mode=RunMode.PUSH)
    opened = runs.filter(source=source, state__in=OPEN_RUNS).first()
    if opened is not None:
        return opened
    full = starts_full(source)
    return HarvestRun.objects.create(
        source=source,
        mode=RunMode.FULL if full else RunMode.CHANGES,
        since=None if full else source.mark,
        started_at=now(),
    )


def _page(run: HarvestRun) -> HarvestRun | None:
    """Ask for the next page and commit what it brings; the run as it is then."""
    begun = time.monotonic()
    page = _asked(run)
    with transaction.atomic():
        row = _locked(run)
        if row is None:
            return None
        page = _but_once(row, page)
        store(row, page.records)
        for name, why in page.bad:
            note(row, name, why)
        row.seen += len(page.bad) + len(page.gone)
        gone = {key_of("", name) for name in page.gone}
        live = HarvestedItem.objects.filter(source=row.source_id, removed_at=None)
        row.removed += remove(live.filter(key__in=gone))
        row.seconds += time.monotonic() - begun
        _noted(row, page)
        if page.cursor is None or _is_too_much(row):
            _read_through(row)
        row.save()
    return row


def _asked(run: HarvestRun) -> Page:
    source = run.source
    query = Query(
        since=run.since,
        collections=tuple(source.parts),
        limit=PAGE,
        cursor=counted_anew(run.cursor) if run.cursor else None,
    )
    with within(PAGE_SECONDS):
        return HARVESTED[source.kind].search(endpoint_of(source), query)


def _but_once(run: HarvestRun, page: Page) -> Page:
    """The page; or an end, where the catalogue goes round in circles (pycsw's OAI-PMH)."""
    before, shown = run.cursor or {}, (page.cursor or {}).get("seen")
    if shown is None or shown not in (before.get("first"), before.get("passed")):
        return page
    text = _("The catalogue goes round in circles: it sent a page again.")
    known = page.matched is not None and run.seen >= page.matched
    again = known and shown == before.get("first")
    return Page([], page.done, None, page.matched, (text,), cut=not again)


def _locked(run: HarvestRun) -> HarvestRun | None:
    """The run with its source, both locked, if nobody changed it meanwhile."""
    source = HarvestSource.objects.select_for_update().filter(pk=run.source_id).first()
    row = HarvestRun.objects.select_for_update().filter(pk=run.pk).first()
    if source is None or row is None or source.state != HarvestState.ACTIVE:
        return None
    if (row.pages, row.state, row.failures) != (run.pages, run.state, run.failures):
        return None
    row.source = source
    return row


def _noted(run: HarvestRun, page: Page) -> None:
    """The place after the page, and what it says of the whole."""
    fewer = page.matched is not None and (run.matched or 0) > page.matched
    if fewer and run.pages:
        _say(run, _("The catalogue became shorter while it was read."))
    run.whole = run.whole and not page.cut and not (fewer and run.pages)
    run.pages += 1
    run.failures = 0
    run.cursor = _onward(run, page.cursor) if page.cursor is not None else None
    run.matched = page.matched if page.matched is not None else run.matched
    run.begun = run.begun or page.moment
    moments = [changed_at(one.document["properties"].get("updated")) for one in page.records]
    run.newest = max((one for one in (*moments, run.newest) if one), default=None)
    for text in page.warnings:
        _say(run, text)


def _onward(run: HarvestRun, cursor: Mapping[str, Any]) -> dict[str, Any]:
    """The cursor with the marks of the first page and of one on the way, which is a later one after
    twice as many pages: no circle is longer than what is passed between two of them for ever."""
    before, shown = run.cursor or {}, cursor.get("seen")
    count = run.pages - 1
    passed = shown if count & (count - 1) == 0 else before.get("passed")
    return {**cursor, "first": before.get("first", shown), "passed": passed}


def _is_too_much(run: HarvestRun) -> bool:
    if (
        run.seen < settings.HARVEST_MOST_RECORDS
        and run.pages < MOST_PAGES
        and run.seconds < MOST_SECONDS
    ):
        return False
    run.whole = False
    _say(run, _("It is longer than the portal reads: %(n)s records were read.") % {"n": run.seen})
    return True


def _read_through(run: HarvestRun) -> None:
    """The last page has been read: take away what is gone, ask whether, or be done."""
    run.cursor = None
    if run.mode == RunMode.FULL and run.seen < (run.matched or 0):
        run.whole = False
        text = _("The catalogue told of %(all)s records and sent %(n)s.")
        _say(run, text % {"all": run.matched, "n": run.seen})
    if run.mode != RunMode.FULL or not run.whole:
        _end(run)
        return
    live = HarvestedItem.objects.filter(source=run.source_id, removed_at=None).count()
    lost = missing(run).count()
    most = max(FEW, live * settings.HARVEST_MOST_REMOVED_PERCENT // 100)
    if lost and not run.confirmed and (lost == live or lost > most):
        run.state = RunState.HELD
        text = _("%(lost)s of %(live)s records are gone there. Are they to be taken away here too?")
        run.error = text % {"lost": lost, "live": live}
    elif lost:
        run.state = RunState.REMOVING
    else:
        _end(run)


@transaction.atomic
def _remove_some(run: HarvestRun) -> HarvestRun | None:
    row = _locked(run)
    if row is None:
        return None
    removed = remove(missing(row)[:PAGE])
    row.removed += removed
    row.pages += 1
    if removed < PAGE:
        _end(row)
    row.save()
    return row


def _end(run: HarvestRun) -> None:
    """The run is done; the source remembers up to when it is known."""
    run.state, run.ended_at = RunState.DONE, now()
    source = run.source
    source.failures, source.last_error = 0, ""
    if run.mode == RunMode.FULL:
        source.full_at, source.full_wanted = run.started_at, False
    if run.whole and ports.CHANGED in source.abilities:
        latest = min(run.newest, run.started_at) - OVERLAP if run.newest else None
        source.mark = run.begun or latest or source.mark
    source.save()


@transaction.atomic
def _failed(run: HarvestRun, error: PortalError) -> datetime:
    """The page could not be had: again after a while, from the beginning, or not in this run."""
    row = _locked(run)
    if row is None:
        return now()
    row.failures += 1
    again = pause(row.failures)
    refused = isinstance(error, ProviderRefused)
    if row.failures >= MOST_TRIES:
        row.state, row.ended_at, row.error = RunState.FAILED, now(), error.detail
        source = row.source
        source.failures += 1
        source.last_error = error.detail
        source.save()
        again = max(pause(source.failures + MOST_TRIES), timedelta(hours=1))
    elif row.cursor and error.data.get("native_code") == FORGOTTEN:
        _say(row, _("The catalogue forgot where the list stood; it is read from its beginning."))
        row.cursor, row.seen, row.unchanged, row.matched = None, 0, 0, None
    elif (
        refused
        and row.mode == RunMode.CHANGES
        and not row.pages
        and error.data.get("http_status") not in _CLOSED
    ):
        _say(row, _("The catalogue does not tell changes: all of it is read."))
        row.mode, row.since = RunMode.FULL, None
    row.save()
    return now() + again


def _leave(source: HarvestSource, go_on: Callable[[], bool]) -> datetime | None:
    """Take away the items of a source that is to be forgotten, and then the source."""
    while go_on():
        with transaction.atomic():
            HarvestSource.objects.select_for_update().filter(pk=source.pk).first()
            rows = list(HarvestedItem.objects.filter(source=source)[:PAGE])
            remove(row for row in rows if row.removed_at is None)
            HarvestedItem.objects.filter(pk__in=[row.pk for row in rows]).delete()
            if not rows:
                source.delete()
                return None
    return now()


def _say(run: HarvestRun, text: str) -> None:
    if text not in run.notes and len(run.notes) < MOST_NOTES:
        run.notes = [*run.notes, text]
