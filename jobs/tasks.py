"""Celery: wakes workers with row ids. The table decides; a lost message loses nothing."""

from __future__ import annotations

from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_ready
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from common.clock import now
from jobs import periodic
from jobs.models import Due
from jobs.worker import beat, run_one

log = structlog.get_logger(__name__)

MOST_WOKEN = 500


@shared_task(name="jobs.run_due")
def run_due(due_id: int) -> None:
    """Do the row, if it is still due and nobody else has it."""
    run_one(owner=f"celery:{run_due.request.id}", due_id=due_id)


@worker_ready.connect
def prepare(**_: Any) -> None:
    """A worker has started: make sure that the periodic work has its rows."""
    with transaction.atomic():
        periodic.ensure()


@shared_task(name="jobs.wake_all")
def wake_all() -> None:
    """Send a message for every row that is due; Celery beat runs this every second."""
    beat()
    rows = Due.objects.filter(done_at=None, parked_at=None, due_at__lte=now())
    free = rows.exclude(lease_until__gt=now()).order_by("due_at")
    for due_id in free.values_list("pk", flat=True)[:MOST_WOKEN]:
        run_due.apply_async((due_id,), expires=settings.DUE_LEASE_SECONDS)


def send_wake_up(due_id: int) -> None:
    """Wake a worker for this row; a broker that is away is no error, `wake_all` follows."""
    try:
        run_due.apply_async((due_id,), retry=False)
    except OperationalError:
        log.warning("broker.away", due_id=due_id)
