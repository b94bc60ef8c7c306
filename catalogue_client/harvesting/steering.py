"""Running a source, pausing it, deciding about it, forgetting it.

The callers have checked that the actor manages the provider.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from catalogue_client.models import (
    HarvestRun,
    HarvestSource,
    HarvestState,
    RunMode,
    RunState,
)
from catalogue_client.models.harvest import OPEN_RUNS
from common.clock import now
from common.errors import Conflict, Forbidden
from people.access import is_operator
from people.models import User


@transaction.atomic
def want_run(*, source: HarvestSource, full: bool = False) -> None:
    """Have the next run read all of it (`full`), or what it would. Raises Conflict."""
    row = HarvestSource.objects.select_for_update().get(pk=source.pk)
    if row.state != HarvestState.ACTIVE or not row.pulled:
        raise Conflict(_("This source is not read at present."))
    if row.runs.filter(state=RunState.HELD).exists():
        raise Conflict(_("A run waits for a decision."))
    if full:
        row.full_wanted = True
        row.save(update_fields=("full_wanted",))


@transaction.atomic
def switch(*, source: HarvestSource, on: bool) -> None:
    """Pause a source, or go on with it where it stood. Raises Conflict."""
    row = HarvestSource.objects.select_for_update().get(pk=source.pk)
    if row.state == HarvestState.LEAVING:
        raise Conflict(_("This source is being taken away."))
    row.state = HarvestState.ACTIVE if on else HarvestState.PAUSED
    row.save(update_fields=("state",))


@transaction.atomic
def decide(*, source: HarvestSource, confirmed: bool) -> None:
    """Whether what a full pass did not find is taken away. Raises Conflict when nothing waits."""
    row = HarvestSource.objects.select_for_update().get(pk=source.pk)
    run = row.runs.select_for_update().filter(state=RunState.HELD).first()
    if run is None:
        raise Conflict(_("No run of this source waits for a decision."))
    run.confirmed = confirmed
    run.state = RunState.REMOVING if confirmed else RunState.STOPPED
    if not confirmed:
        run.ended_at = now()
        row.full_at, row.full_wanted = run.started_at, False
        row.save(update_fields=("full_at", "full_wanted"))
    run.save()


def approve(*, actor: User, source: HarvestSource, approved: bool) -> None:
    """Vouch for the address, or no more; for operators. Raises Forbidden."""
    if not is_operator(actor):
        raise Forbidden("Only operators may do this.")
    HarvestSource.objects.filter(pk=source.pk).update(approved=approved)


@transaction.atomic
def leave(*, source: HarvestSource) -> None:
    """Forget the source and take away its records, as soon as a worker is free."""
    row = HarvestSource.objects.select_for_update().get(pk=source.pk)
    row.state, row.token_hash = HarvestState.LEAVING, ""
    row.save(update_fields=("state", "token_hash"))
    stop_run(row)


def stop_run(source: HarvestSource) -> None:
    opened = HarvestRun.objects.filter(source=source, state__in=OPEN_RUNS)
    opened.exclude(mode=RunMode.PUSH).update(state=RunState.STOPPED, ended_at=now())
