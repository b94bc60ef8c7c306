"""Work that comes round: usage queues, discovery, and putting right what was left behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

import structlog
from django.conf import settings

from accounting import bills
from accounting.credit import alerts, grant_rules, grants, lots
from accounting.statements import monthly, seals
from common.clock import now
from jobs import (
    due,
    harvest_work,
    provider_work,
    publication_work,
    source_work,
    usage_work,
    viewing,
)
from jobs.models import Due, Job
from jobs.states import RUNNING, State
from people import mail

log = structlog.get_logger(__name__)


def ensure() -> None:
    """Make sure that every periodic work has its row; done when a worker starts, and by sweep."""
    due.schedule(kind="sweep", subject="all", at=now())
    due.schedule(kind="mail", subject="all", at=now())
    provider_work.ensure()
    usage_work.ensure()
    source_work.ensure()
    harvest_work.ensure()
    viewing.ensure()


def sweep(row: Due) -> datetime:
    """Release what waited too long, forget finished rows, and recover work without a row.

    Credit: give what is due, end what has expired, tell of what is low; in this order;
    close the months that are over, and seal what is new once a day.
    """
    del row
    for chore in CHORES:
        try:
            chore(now())
        except Exception:  # logged; the others are done, and it is tried again in a minute
            log.exception("periodic.failed", chore=f"{chore.__module__}.{chore.__name__}")
    due.sweep_done(older_than=timedelta(days=7))
    recover()
    provider_work.ensure()
    usage_work.ensure()
    source_work.ensure()
    harvest_work.ensure()
    viewing.ensure()
    return now() + timedelta(seconds=60)


CHORES: tuple[Callable[[datetime], object], ...] = (
    bills.expire_bills,
    grant_rules.run_rules,
    grants.issue_due,
    lots.expire_due,
    alerts.watch,
    monthly.close_due,
    seals.seal_due,
    publication_work.refresh,
)


def mails(row: Due) -> datetime:
    """Send the mails that wait in the outbox."""
    del row
    mail.send_due(now())
    return now() + timedelta(seconds=settings.MAIL_SECONDS)


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
