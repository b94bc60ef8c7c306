"""Due work about the catalogues of processing centres: reading them, and forgetting them."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings

from catalogue_client.harvesting import running
from catalogue_client.harvesting.selectors import to_be_read
from catalogue_client.models import HarvestSource, HarvestState
from common.clock import now
from jobs import due
from jobs.models import Due
from providers.models import Provider, ProviderState

KIND = "harvest"
FIRST_SECONDS = 600


def ensure() -> None:
    """Make sure that every source of an approved provider is read within its interval."""
    opened = set(Due.objects.filter(kind=KIND, done_at=None).values_list("subject", flat=True))
    approved = Provider.objects.filter(state=ProviderState.APPROVED).values_list("pk", flat=True)
    leaving = HarvestSource.objects.filter(state=HarvestState.LEAVING)
    wanted = (to_be_read(list(approved)), leaving)
    for pk in (pk for rows in wanted for pk in rows.values_list("pk", flat=True)):
        if str(pk) not in opened:
            _plan(pk, now() + timedelta(seconds=FIRST_SECONDS * random.random()))  # noqa: S311


def soon(source_id: int) -> None:
    """Have it worked on as soon as a worker is free."""
    _plan(source_id, now())


def step(row: Due) -> datetime | None:
    """Read a source for half a lease's time, as long as its provider is approved."""
    source = HarvestSource.objects.filter(pk=row.subject).first()
    if source is None:
        return None
    if source.state != HarvestState.LEAVING and not is_served(source):
        return None
    end = monotonic() + settings.DUE_LEASE_SECONDS / 2

    def go_on() -> bool:
        return monotonic() < end and due.renew(row)

    return running.work(source.pk, go_on)


def is_served(source: HarvestSource) -> bool:
    """Whether its provider is approved: nothing is read or taken of others."""
    provider = Provider.objects.filter(pk=source.provider_id)
    return provider.filter(state=ProviderState.APPROVED).exists()


def _plan(source_id: int, at: datetime) -> None:
    due.schedule(kind=KIND, subject=source_id, at=at, lane=f"harvest:{source_id}")
