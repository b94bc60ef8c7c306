"""The table of due work: schedule, claim with a lease, finish, try again.

Every installation's queue. A row is written in the transaction of the change that made the work
necessary; a worker that dies leaves a lease that runs out; every step may be repeated safely.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet

from common.clock import now
from common.prepared import execute
from common.rows import new
from jobs.models import Due

MOST_FAILURES = 20
CALLING = ("send", "poll", "cancel")


def schedule(*, kind: str, subject: object, at: datetime | None = None, lane: str = "") -> None:
    """Make sure that this work happens at `at` (now when None).

    Already scheduled: it is brought forward if `at` is earlier, never put off; a parked row is
    taken up again; a row that a worker has in hand is done once more afterwards.
    """
    moment = now()
    due_at = at or moment
    due_id = _insert(kind, str(subject), lane, due_at) or _bring_forward(kind, subject, due_at)
    if due_id is not None and due_at <= moment:
        transaction.on_commit(lambda: wake(due_id))


def _insert(kind: str, subject: str, lane: str, due_at: datetime) -> int | None:
    """The id of the new row; None when there is an open one already."""
    row = execute(
        "INSERT INTO jobs_due"
        " (kind, subject, lane, due_at, lease_owner, attempts, failures, last_error)"
        " VALUES (%s, %s, %s, %s, '', 0, 0, '')"
        " ON CONFLICT (kind, subject) WHERE done_at IS NULL DO NOTHING RETURNING id",
        [kind, subject, lane, due_at],
    ).fetchone()
    return int(row[0]) if row else None


def take(*, kind: str, subject: object, lane: str, owner: str) -> Due | None:
    """Write work that is new, with a lease for the caller, who does it after the commit.

    None when the lane has as many leases as it may (see `claim_many`); then nothing is written.
    """
    moment = now()
    row = new(
        Due,
        kind=kind,
        subject=str(subject),
        lane=lane,
        due_at=moment,
        lease_until=moment + timedelta(seconds=settings.DUE_LEASE_SECONDS),
        lease_owner=owner,
        attempts=1,
    )
    values = [lane, kind, row.subject, moment, row.lease_until, owner]
    taken = execute(_TAKE, [*values, moment, settings.PROVIDER_CONCURRENCY]).fetchone()
    if taken is None:
        return None
    row.pk = taken[0]
    return row


@transaction.atomic
def _bring_forward(kind: str, subject: object, due_at: datetime) -> int | None:
    opened = Due.objects.filter(kind=kind, subject=str(subject), done_at=None)
    row = opened.select_for_update().first()
    if row is None:
        return None
    if row.due_at > due_at or row.parked_at or row.lease_until:
        opened.filter(pk=row.pk).update(due_at=due_at, parked_at=None, failures=0)
    return row.pk


def lane(provider_id: int) -> str:
    """The lane of work that calls this provider."""
    return f"provider:{provider_id}"


def wake(due_id: int) -> None:
    """Tell Celery's workers, where there are any; the table stays the truth without them."""
    if settings.CELERY_BROKER_URL:
        from jobs.tasks import send_wake_up  # noqa: PLC0415 (Celery is loaded only where it is used)

        send_wake_up(due_id)


def anything(*, patience: float = 0) -> bool:
    """Whether a row may be due: only read, so that idle workers take no write lock (SQLite).

    With `patience`, polls count only when they have been due for so many seconds: those of a busy
    portal are then claimed together.
    """
    adapt = connection.ops.adapt_datetimefield_value
    moment = now()
    late = adapt(moment - timedelta(seconds=patience))
    with connection.cursor() as cursor:
        cursor.execute(_ANYTHING, [adapt(moment), adapt(moment), late])
        return cursor.fetchone() is not None


def claim(
    *, owner: str, due_id: int | None = None, work: tuple[str, object] | None = None
) -> Due | None:
    """Take one due row for DUE_LEASE_SECONDS, or None when nothing is due.

    With `due_id`, or `work` (kind and subject), only that row is tried; see `claim_many`.
    """
    rows = claim_many(owner=owner, most=1, due_id=due_id, work=work)
    return rows[0] if rows else None


def claim_many(
    *,
    owner: str,
    most: int,
    polls: int = 0,
    due_id: int | None = None,
    work: tuple[str, object] | None = None,
) -> list[Due]:
    """Take up to so many due rows, the earliest of each lane at a time; then `polls` more that only
    ask how a job is going on, which takes no time.

    Rows whose lane has as many leases as its provider takes connections (PROVIDER_CONCURRENCY for
    one that is none) wait, so that one slow provider does not occupy every worker. However many
    rows wait in one lane, only its first is looked at.
    """
    adapt = connection.ops.adapt_datetimefield_value
    moment = now()
    times = [adapt(moment)] * 3
    lease = adapt(moment + timedelta(seconds=settings.DUE_LEASE_SECONDS))
    one: list[Any] = []
    found = _FIRST_OF_LANES
    if due_id is not None:
        found, one = _ONE.format(row="d.id = %s"), [due_id]
    elif work is not None:
        found, one = _ONE.format(row="d.kind = %s AND d.subject = %s"), [work[0], str(work[1])]
    skip = " FOR UPDATE OF d SKIP LOCKED" if connection.vendor == "postgresql" else ""
    given = [*one, *times, settings.PROVIDER_CONCURRENCY, *times[:2], most]
    given += [*times[:2], most + polls if polls else 0, lease, owner]
    rows = Due.objects.raw(_CLAIM.format(found=found, skip=skip), given)
    return sorted(rows, key=lambda row: row.due_at)


# ruff: noqa: S608 (only fixed text is joined)
_OPEN = "d.done_at IS NULL AND d.parked_at IS NULL"
_DUE = f"{_OPEN} AND d.due_at <= %s AND (d.lease_until IS NULL OR d.lease_until <= %s)"
_POLL = " AND d.kind = 'poll'"
_ANYTHING = (
    f"SELECT 1 FROM jobs_due d WHERE {_DUE} AND (d.kind <> 'poll' OR d.due_at <= %s) LIMIT 1"
)
_FREE = (
    "({lane} = '' OR (SELECT COUNT(*) FROM jobs_due b WHERE b.lane = {lane} AND b.done_at IS NULL"
    " AND b.lease_until > %s) < COALESCE((SELECT p.max_connections FROM providers_provider p"
    " WHERE {lane} = 'provider:' || p.id), %s))"
)
_ONE = (
    "WITH found AS MATERIALIZED (SELECT d.id FROM jobs_due d"
    f" WHERE {{row}} AND {_DUE} AND {_FREE.format(lane='d.lane')})"
)
_TAKE = (
    "WITH new AS (SELECT CAST(%s AS varchar(40)) AS lane)"
    " INSERT INTO jobs_due (kind, subject, lane, due_at, lease_until, lease_owner, attempts,"
    " failures, last_error) SELECT %s, %s, new.lane, %s, %s, %s, 1, 0, '' FROM new"
    f" WHERE {_FREE.format(lane='new.lane')} RETURNING id"
)
# From lane to lane through the index, without a look at the rows between.
_FIRST_OF_LANES = (
    "WITH RECURSIVE lanes(lane) AS ("
    f"SELECT MIN(d.lane) FROM jobs_due d WHERE {_OPEN} UNION ALL"
    f" SELECT (SELECT MIN(d.lane) FROM jobs_due d WHERE {_OPEN} AND d.lane > lanes.lane)"
    " FROM lanes WHERE lanes.lane IS NOT NULL),"
    f" found AS MATERIALIZED (SELECT (SELECT d.id FROM jobs_due d WHERE d.lane = lanes.lane"
    f" AND {_DUE} ORDER BY d.due_at LIMIT 1) AS id FROM lanes"
    f" WHERE lanes.lane IS NOT NULL AND {_FREE.format(lane='lanes.lane')})"
)
# The rows are chosen before the update: a subquery in it might be evaluated for each row.
_CHOSEN = (
    "(SELECT d.id FROM found JOIN jobs_due d ON d.id = found.id"
    f" WHERE {_DUE}{{only}} ORDER BY d.due_at LIMIT %s{{{{skip}}}})"
)
_CLAIM = (
    f"{{found}}, chosen AS MATERIALIZED {_CHOSEN.format(only='')},"
    f" polls AS MATERIALIZED {_CHOSEN.format(only=_POLL)}"
    " UPDATE jobs_due SET lease_until = %s, lease_owner = %s, attempts = attempts + 1"
    " WHERE id IN (SELECT id FROM chosen UNION SELECT id FROM polls)"
    f" RETURNING {', '.join(str(field.column) for field in Due._meta.concrete_fields)}"
)


def analyze() -> None:
    """Let PostgreSQL look at the table again: a queue is never as large as it was a minute ago,
    and with figures of an empty one a claim reads all that waits."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE jobs_due")


def renew(row: Due) -> bool:
    """Keep a lease that takes longer; False when it is no longer ours."""
    lease = now() + timedelta(seconds=settings.DUE_LEASE_SECONDS)
    return bool(_ours(row).update(lease_until=lease))


def done(row: Due) -> bool:
    """The work is finished. False when the lease was lost, or it was asked for once more."""
    moment = now()
    finished = execute(
        "UPDATE jobs_due SET done_at = %s, lease_until = NULL WHERE id = %s"
        " AND lease_owner = %s AND attempts = %s AND done_at IS NULL AND due_at = %s",
        [moment, row.pk, row.lease_owner, row.attempts, row.due_at],
    )
    if finished.rowcount:
        row.done_at = moment
        return True
    _ours(row).update(lease_until=None)
    return False


def again(row: Due, *, at: datetime) -> bool:
    """The same work is due once more at `at`; counts as a success."""
    with connection.cursor() as cursor:
        cursor.execute(_AGAIN, _again(row, at))
        return bool(cursor.rowcount)


def again_many(rows: Sequence[tuple[Due, datetime]]) -> None:
    """As `again` for each row with its time; in a transaction of the caller's."""
    with connection.cursor() as cursor:
        cursor.executemany(_AGAIN, [_again(row, at) for row, at in rows])


def _again(row: Due, at: datetime) -> list[Any]:
    moment = connection.ops.adapt_datetimefield_value(at)
    return [moment, row.pk, row.lease_owner, row.attempts]


_AGAIN = (
    "UPDATE jobs_due SET due_at = %s, lease_until = NULL, failures = 0, last_error = ''"
    " WHERE id = %s AND lease_owner = %s AND attempts = %s AND done_at IS NULL"
)


def give_back(rows: Sequence[Due]) -> None:
    """What was claimed and not begun is due for anybody; `rows` are of one owner."""
    for row in rows:
        _ours(row).update(lease_until=None)


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
