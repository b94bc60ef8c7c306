"""The table of due work: schedule, claim with a lease, finish, try again.

Every installation's queue. A row is written in the transaction of the change that made the work
necessary; a worker that dies leaves a lease that runs out; every step may be repeated safely.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet

from common.clock import now
from jobs.models import Due

MOST_FAILURES = 20
CALLING = ("send", "poll", "cancel")


@transaction.atomic
def schedule(*, kind: str, subject: object, at: datetime | None = None, lane: str = "") -> None:
    """Make sure that this work happens at `at` (now when None).

    Already scheduled: it is brought forward if `at` is earlier, never put off; a parked row is
    taken up again; a row that a worker has in hand is done once more afterwards.
    """
    due_at = at or now()
    opened = Due.objects.filter(kind=kind, subject=str(subject), done_at=None)
    row = opened.select_for_update().first()
    if row is None:
        try:
            with transaction.atomic():
                row = Due.objects.create(kind=kind, subject=str(subject), lane=lane, due_at=due_at)
        except IntegrityError:  # another transaction wrote it meanwhile
            row = opened.select_for_update().first()
    if row is not None and (row.due_at > due_at or row.parked_at or row.lease_until):
        opened.filter(pk=row.pk).update(due_at=due_at, parked_at=None, failures=0)
    if row is not None and due_at <= now():
        due_id = row.pk
        transaction.on_commit(lambda: wake(due_id))


def lane(provider_id: int) -> str:
    """The lane of work that calls this provider."""
    return f"provider:{provider_id}"


def wake(due_id: int) -> None:
    """Tell Celery's workers, where there are any; the table stays the truth without them."""
    if settings.CELERY_BROKER_URL:
        from jobs.tasks import send_wake_up  # noqa: PLC0415 (Celery is loaded only where it is used)

        send_wake_up(due_id)


def anything() -> bool:
    """Whether a row may be due: only read, so that idle workers take no write lock (SQLite)."""
    moment = now()
    return (
        Due.objects.filter(done_at=None, parked_at=None, due_at__lte=moment)
        .exclude(lease_until__gt=moment)
        .exists()
    )


def claim(*, owner: str, due_id: int | None = None) -> Due | None:
    """Take one due row for DUE_LEASE_SECONDS, or None when nothing is due.

    Rows whose lane has PROVIDER_CONCURRENCY leases already wait, so that one slow provider does not
    occupy every worker. With `due_id` only that row is tried.
    """
    moment = now()
    crowded = (
        "SELECT b.lane FROM jobs_due b WHERE b.lane <> '' AND b.done_at IS NULL"
        " AND b.lease_until > %s GROUP BY b.lane HAVING COUNT(*) >= %s"
    )
    wanted = " AND d.id = %s" if due_id is not None else ""
    skip = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    sql = (
        "UPDATE jobs_due SET lease_until = %s, lease_owner = %s, attempts = attempts + 1"  # noqa: S608 (only fixed text is joined)
        " WHERE id = (SELECT d.id FROM jobs_due d WHERE d.done_at IS NULL AND d.parked_at IS NULL"
        " AND d.due_at <= %s AND (d.lease_until IS NULL OR d.lease_until <= %s)"
        f" AND d.lane NOT IN ({crowded}){wanted}"
        f" ORDER BY d.due_at LIMIT 1{skip}) RETURNING id"
    )
    lease = moment + timedelta(seconds=settings.DUE_LEASE_SECONDS)
    adapt = connection.ops.adapt_datetimefield_value
    given: list[Any] = [adapt(lease), owner, *[adapt(moment)] * 3, settings.PROVIDER_CONCURRENCY]
    if due_id is not None:
        given.append(due_id)
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        found = cursor.fetchone()
    return Due.objects.get(pk=found[0]) if found else None


def renew(row: Due) -> bool:
    """Keep a lease that takes longer; False when it is no longer ours."""
    lease = now() + timedelta(seconds=settings.DUE_LEASE_SECONDS)
    return bool(_ours(row).update(lease_until=lease))


def done(row: Due) -> bool:
    """The work is finished. False when the lease was lost, or it was asked for once more."""
    if _ours(row).filter(due_at=row.due_at).update(done_at=now(), lease_until=None):
        return True
    _ours(row).update(lease_until=None)
    return False


def again(row: Due, *, at: datetime) -> bool:
    """The same work is due once more at `at`; counts as a success."""
    return bool(_ours(row).update(due_at=at, lease_until=None, failures=0, last_error=""))


def failed(row: Due, *, error: str) -> bool:
    """The step itself broke: try again later, in the end park it for an operator."""
    failures = row.failures + 1
    wait = timedelta(seconds=min(3600, 2**failures) * random.uniform(0.8, 1.2))  # noqa: S311 (jitter)
    parked = now() if failures >= MOST_FAILURES else None
    return bool(
        _ours(row).update(
            failures=F("failures") + 1,
            last_error=error[:2000],
            due_at=now() + wait,
            lease_until=None,
            parked_at=parked,
        )
    )


def hurry(lane: str) -> int:
    """What calls a provider is due within seconds: it is there again after it was away."""
    waiting = Due.objects.filter(
        lane=lane, done_at=None, parked_at=None, due_at__gt=now(), kind__in=CALLING
    )
    return waiting.update(due_at=now() + timedelta(seconds=random.uniform(0.5, 1.5)))  # noqa: S311


def sweep_done(*, older_than: timedelta) -> int:
    """Delete finished rows that nobody will look at again."""
    deleted, _ = Due.objects.filter(done_at__lt=now() - older_than).delete()
    return deleted


def _ours(row: Due) -> QuerySet[Due]:
    return Due.objects.filter(
        pk=row.pk, lease_owner=row.lease_owner, attempts=row.attempts, done_at=None
    )
