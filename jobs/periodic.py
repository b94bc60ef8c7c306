"""Work that comes round: usage queues, discovery, and putting right what was left behind."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounting import bills, dirq
from common.clock import now
from jobs import due
from jobs.models import Due, Job
from jobs.states import RUNNING, State
from providers import services as providers
from providers.models import Provider, ProviderState


def ensure() -> None:
    """Make sure that every periodic work has its row; done when a worker starts, and by sweep."""
    due.schedule(kind="sweep", subject="all", at=now())
    for provider in Provider.objects.filter(state=ProviderState.APPROVED):
        first = now() + timedelta(seconds=settings.DISCOVERY_SECONDS)
        due.schedule(kind="discover", subject=provider.pk, at=first, lane=due.lane(provider.pk))
        if provider.usage_queue:
            due.schedule(kind="usage", subject=provider.pk)


def usage(row: Due) -> datetime | None:
    """Take in the usage messages in a provider's directory queue."""
    provider = Provider.objects.filter(pk=row.subject).first()
    if provider is None or not provider.usage_queue:
        return None
    queue = Path(provider.usage_queue)
    if queue.is_dir():  # it appears with the first message
        # Only the holder of this row's lease reads the queue: an older lock is a dead worker's.
        dirq.ingest_queue(
            queue, provider_id=provider.pk, stale_lock_seconds=settings.DUE_LEASE_SECONDS
        )
    return now() + timedelta(seconds=settings.USAGE_QUEUE_SECONDS)


def discover(row: Due) -> datetime | None:
    """Read a provider's capabilities again."""
    provider = Provider.objects.filter(pk=row.subject, state=ProviderState.APPROVED).first()
    if provider is None:
        return None
    was_away = provider.failing_since is not None
    run = providers.discover(provider=provider, actor="worker")
    if was_away and not run.error:
        due.hurry(due.lane(provider.pk))
    spread = random.uniform(0.9, 1.1)  # noqa: S311 (jitter)
    return now() + timedelta(seconds=settings.DISCOVERY_SECONDS * spread)


def sweep(row: Due) -> datetime:
    """Release what waited too long, forget finished rows, and recover work without a row."""
    del row
    bills.expire_bills(now())
    due.sweep_done(older_than=timedelta(days=7))
    recover()
    with transaction.atomic():
        for provider in Provider.objects.filter(state=ProviderState.APPROVED).exclude(
            usage_queue=""
        ):
            due.schedule(kind="usage", subject=provider.pk)
    return now() + timedelta(seconds=60)


def recover() -> int:
    """Give every unfinished job its row of due work. None should lack it; this makes sure."""
    found = 0
    for kind, states in _FOLLOWED:
        jobs = Job.objects.filter(state__in=states).values_list("pk", "service__provider_id")
        rows = jobs.iterator(chunk_size=500)
        while batch := dict(islice(rows, 500)):
            found += _recover_batch(kind, batch)
    return found


_FOLLOWED: tuple[tuple[str, frozenset[State]], ...] = (
    ("send", frozenset({State.SUBMITTED, State.SUBMITTING})),
    ("poll", RUNNING),
    ("cancel", frozenset({State.CANCELLING})),
)


def _recover_batch(kind: str, jobs: Mapping[UUID, int]) -> int:
    rows = Due.objects.filter(kind=kind, done_at=None, subject__in=map(str, jobs))
    present = set(rows.values_list("subject", flat=True))
    left = [job_id for job_id in jobs if str(job_id) not in present]
    for job_id in left:
        due.schedule(kind=kind, subject=job_id, lane=due.lane(jobs[job_id]))
    return len(left)
