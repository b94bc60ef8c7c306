"""Usage that is fetched again and again: providers' folders, and sources that operators set up."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import structlog
from django.conf import settings
from django.db import transaction

from accounting.models import UsageSource
from accounting.sources import dirq, runner
from common.clock import now
from common.errors import PortalError
from jobs import due
from jobs.models import Due
from jobs.usage_senders import provider_by_site, sender_of
from providers.models import Provider, ProviderState

log = structlog.get_logger(__name__)

FOLDER = "usage"
SOURCE = "usage_source"


@transaction.atomic
def ensure() -> None:
    """Make sure that every folder and source has its row; pauses are not cut short."""
    folders = Provider.objects.filter(state=ProviderState.APPROVED).exclude(usage_queue="")
    for provider_id in folders.values_list("pk", flat=True):
        due.schedule(kind=FOLDER, subject=provider_id)
    opened = set(Due.objects.filter(kind=SOURCE, done_at=None).values_list("subject", flat=True))
    for source_id in UsageSource.objects.filter(enabled=True).values_list("pk", flat=True):
        if str(source_id) not in opened:
            look_now(source_id)


def look_now(source_id: int) -> None:
    """Ask a source as soon as a worker is free, however long its pause would be."""
    due.schedule(kind=SOURCE, subject=source_id)


def folder(row: Due) -> datetime | None:
    """Take in the usage messages in a provider's directory queue."""
    provider = Provider.objects.filter(pk=row.subject).first()
    if provider is None or not provider.usage_queue:
        return None
    queue = Path(provider.usage_queue)
    if queue.is_dir():  # it appears with the first message
        # Only the holder of this row's lease reads the queue: an older lock is a dead worker's.
        dirq.ingest_queue(
            queue, sender=sender_of(provider), stale_lock_seconds=settings.DUE_LEASE_SECONDS
        )
    return now() + timedelta(seconds=settings.USAGE_QUEUE_SECONDS)


def source(row: Due) -> datetime | None:
    """Take in what waits at a source; one that fails is asked after growing pauses."""
    asked = UsageSource.objects.filter(pk=row.subject, enabled=True).first()
    if asked is None:
        return None
    sender = sender_of(Provider.objects.filter(pk=asked.provider_id or 0).first())
    end = monotonic() + settings.DUE_LEASE_SECONDS / 2
    more = False

    def go_on() -> bool:
        nonlocal more
        more = monotonic() > end
        return not more and due.renew(row)

    try:
        runner.run(asked, sender=sender, sites=provider_by_site(), go_on=go_on)
    except (PortalError, OSError) as error:
        log.warning("usage.source_failed", source=asked.pk, error=str(error))
    left = UsageSource.objects.filter(pk=asked.pk).first()
    if left is None or more:
        return now() if more else None
    return now() + runner.pause(left)
