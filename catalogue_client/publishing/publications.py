"""Which result is to be at which target, and the step that brings it there or takes it away.

`plan`, `ask`, `withdraw` and `retry` say what is wanted, in the caller's transaction; the ids that
they give are work for `work`, which may be repeated and may die at any line. A job's own state and
its bill do not depend on any of it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from catalogue_client.models import (
    Item,
    Publication,
    PublicationState,
    PublishTarget,
    TargetKind,
)
from catalogue_client.publishing import atom_target, stac_target
from catalogue_client.publishing.targets import goes_there_by_itself, usable_targets
from common.clock import now
from common.errors import ConfigurationError, Conflict, NotFound, ProviderError, ProviderRefused
from people.models import User

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 12
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 6 * 3600.0  # seconds; the last try is about a day later


class Writer(Protocol):
    def publish(
        self, target: PublishTarget, item: Item, known: Mapping[str, Any]
    ) -> dict[str, Any]: ...

    def remove(self, target: PublishTarget, item: Item, known: Mapping[str, Any]) -> list[str]: ...


WRITERS: dict[str, Writer] = {TargetKind.STAC: stac_target, TargetKind.ATOM: atom_target}


def plan(item: Item) -> list[Publication]:
    """What is to be done now that the item is new, changed, withdrawn or seen by others.

    What went somewhere by a rule that holds no more is withdrawn there; what somebody asked for
    stays until they withdraw it, or the item itself goes.
    """
    rows = {row.target_id: row for row in _rows(item)}
    for target in PublishTarget.objects.filter(automatic=True, enabled=True):
        if target.pk not in rows and goes_there_by_itself(target, item):
            rows[target.pk] = _row(item, target, automatic=True)
    found = []
    for row in rows.values():
        by_rule = row.automatic and goes_there_by_itself(row.target, item)
        row.wanted = item.deleted_at is None and (by_rule or (row.wanted and not row.automatic))
        if _unfinished(row, item):
            found.append(_again(row))
    return found


@transaction.atomic
def ask(*, actor: User, item: Item, target_id: int) -> Publication:
    """Have the item published at a target of those that the actor may use.

    The caller has checked that the item is the actor's to publish. Raises NotFound, Conflict.
    """
    target = usable_targets(actor).filter(pk=target_id).first()
    if target is None:
        raise NotFound(_("There is no such target."))
    item = Item.objects.select_for_update(of=("self",)).get(pk=item.pk)  # a double click is one
    if item.deleted_at is not None:
        raise Conflict(_("This result is withdrawn."))
    row = _rows(item).filter(target=target).first() or _row(item, target, automatic=False)
    row.wanted, row.automatic, row.asked_by = True, False, actor
    return _again(row)


@transaction.atomic
def withdraw(*, actor: User, item: Item, target_id: int) -> Publication:
    """Take the item away from a target, also one that is switched off for new ones."""
    row = _row_of(item, target_id)
    row.wanted, row.automatic, row.asked_by = False, False, actor
    return _again(row)


@transaction.atomic
def retry(*, item: Item, target_id: int) -> Publication:
    """Try at once what failed, or waits for its next try."""
    return _again(_row_of(item, target_id))


def stale() -> QuerySet[Publication]:
    """Publications of items that changed, or went, since they were read back."""
    done = Q(state__in=(PublicationState.PUBLISHED, PublicationState.WITHDRAWN))
    changed = Q(wanted=True) & (
        ~Q(revision=F("item__revision")) | Q(item__deleted_at__isnull=False)
    )
    return Publication.objects.filter(done & changed).select_related("item")


def of_item(item: Item) -> QuerySet[Publication]:
    """The item at every target it was ever meant for."""
    return Publication.objects.filter(item=item).select_related("target")


def work(publication_id: int | str) -> datetime | None:
    """Do what is wanted of a publication; when to try again, None when it is over for now."""
    row = _begin(publication_id)
    if row is None:
        return None
    if row.wanted and not row.target.enabled:
        return _failed(row, _("The target is switched off."), for_good=True)
    writer = WRITERS[row.target.kind]
    try:
        if row.wanted:
            return _published(row, writer.publish(row.target, row.item, row.remote))
        return _withdrawn(row, writer.remove(row.target, row.item, row.remote))
    except (ProviderRefused, ConfigurationError) as error:
        return _failed(row, error.detail, for_good=True)
    except ProviderError as error:
        return _failed(row, error.detail, for_good=row.attempts >= MOST_ATTEMPTS)


@transaction.atomic
def _begin(publication_id: int | str) -> Publication | None:
    row = _locked(publication_id)
    if row is None or not _unfinished(row, row.item):
        return None
    if row.state == PublicationState.FAILED and row.next_try_at is None:
        return None  # somebody has to decide
    # From now on something may be there, whatever this process dies of.
    row.remote = row.remote or {"ids": []}
    row.state = PublicationState.PUBLISHING
    row.attempts += 1
    row.save()
    return row


@transaction.atomic
def _published(before: Publication, remote: dict[str, Any]) -> datetime | None:
    """Read back; if more was wanted meanwhile, that is due at once."""
    row = _locked(before.pk)
    if row is None:
        return None
    row.remote, row.revision = remote, before.item.revision
    row.attempts, row.next_try_at, row.last_error = 0, None, ""
    row.state = PublicationState.PUBLISHED if row.wanted else PublicationState.PENDING
    over = not _unfinished(row, row.item)
    if not over:
        row.state = PublicationState.PENDING
    row.save()
    _note_target(row)
    log.info("publication.published", job_id=str(row.job_id), target=row.target.name)
    return None if over else now()


@transaction.atomic
def _withdrawn(before: Publication, left: list[str]) -> datetime | None:
    row = _locked(before.pk)
    if row is None:
        return None
    if left:
        row.remote = {**row.remote, "ids": left}
        row.save()
        text = _("The catalogue still shows %(n)s of the records.") % {"n": len(left)}
        return _failed(row, text, for_good=row.attempts >= MOST_ATTEMPTS)
    row.remote, row.revision = {}, 0
    row.attempts, row.next_try_at, row.last_error = 0, None, ""
    row.state = PublicationState.PENDING if row.wanted else PublicationState.WITHDRAWN
    row.save()
    _note_target(row)
    return now() if row.wanted else None


@transaction.atomic
def _failed(before: Publication, error: str, *, for_good: bool) -> datetime | None:
    row = _locked(before.pk)
    if row is None:
        return None
    pause = min(FIRST_PAUSE * 2 ** (row.attempts - 1), LONGEST_PAUSE)
    pause *= random.uniform(0.8, 1.2)  # noqa: S311 (jitter)
    row.state, row.last_error = PublicationState.FAILED, error[:300]
    row.next_try_at = None if for_good else now() + timedelta(seconds=pause)
    row.save()
    _note_target(row, error[:300])
    return row.next_try_at


def _note_target(row: Publication, error: str = "") -> None:
    told: dict[str, Any] = {"last_error": error}
    if not error:
        told["last_success_at"] = now()
    PublishTarget.objects.filter(pk=row.target_id).update(**told)


def _unfinished(row: Publication, item: Item) -> bool:
    if row.wanted and item.deleted_at is None:
        there = row.state == PublicationState.PUBLISHED and row.revision == item.revision
        return not there
    return row.state != PublicationState.WITHDRAWN


def _again(row: Publication) -> Publication:
    """Wanted now: from the first try on. What was never there is withdrawn without a request."""
    row.attempts, row.next_try_at, row.last_error = 0, None, ""
    row.state = PublicationState.PENDING
    if not row.wanted and not row.remote:
        row.state = PublicationState.WITHDRAWN
    row.save()
    return row


def _row(item: Item, target: PublishTarget, *, automatic: bool) -> Publication:
    if item.job_id is None:
        raise Conflict(_("Only results of jobs are published."))
    return Publication(item=item, target=target, job_id=item.job_id, automatic=automatic)


def _rows(item: Item) -> QuerySet[Publication]:
    return (
        Publication.objects.select_for_update(of=("self",))
        .filter(item=item)
        .select_related("target")
    )


def _row_of(item: Item, target_id: int) -> Publication:
    row = _rows(item).filter(target_id=target_id).first()
    if row is None:
        raise NotFound(_("This result is not published there."))
    return row


def _locked(publication_id: int | str) -> Publication | None:
    found = Publication.objects.select_for_update(of=("self",))
    return found.filter(pk=publication_id).select_related("target", "item__collection").first()
