"""How many records each site has here per month, and which summaries they leave nothing to charge.

A summary says again what records of jobs (or machines) of its site and month say one by one: it is
charged only as long as there are none of those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.db import connection
from django.db.models import Q

from accounting.models import RecordType, UsageMonth, UsageRecord
from accounting.usage.rows import Row, current_rows

# A kind of summary → what makes it void.
ECLIPSED_BY: dict[str, frozenset[str]] = {
    RecordType.SUMMARY.value: frozenset({RecordType.JOB.value}),
    RecordType.NORMALISED.value: frozenset({RecordType.JOB.value, RecordType.SUMMARY.value}),
    RecordType.CLOUD_SUMMARY.value: frozenset({RecordType.CLOUD.value}),
}
_ECLIPSING = frozenset().union(*ECLIPSED_BY.values())
_JOB = RecordType.JOB.value

Place = tuple[int, str, date]  # provider, site, first day of the month


def month_of(moment: datetime) -> date:
    """The first day of the month (UTC)."""
    return date(moment.year, moment.month, 1)


def count_jobs(rows: Iterable[Row]) -> None:
    """Count job records that were not there before, in one statement."""
    found = Counter(
        (row.provider_id, row.site, row.origin.record.submit_host, row.origin.record.month)
        for row in rows
        if row.type == _JOB and row.provider_id is not None and row.origin is not None
    )
    if not found:
        return
    # Sorted: two messages that count for the same sites do not wait for each other in a circle.
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO acc_usage_month (provider_id, site, submit_host, month, jobs)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (provider_id, month, site, submit_host)"
            " DO UPDATE SET jobs = acc_usage_month.jobs + excluded.jobs",
            [(*place, jobs) for place, jobs in sorted(found.items())],
        )


def places_of(rows: Iterable[Row]) -> set[Place]:
    """Where these rows may make summaries void."""
    return {
        (row.provider_id, row.site, row.month or month_of(row.ended))
        for row in rows
        if row.type in _ECLIPSING and row.provider_id is not None
    }


def summaries_in(places: Iterable[Place]) -> list[Row]:
    """The summaries of these places that have a bill."""
    wanted = set(places)
    rows = current_rows(
        provider_id__among={place[0] for place in wanted},
        site__among={place[1] for place in wanted},
        month__in={place[2] for place in wanted},
        type__in=list(ECLIPSED_BY),
        usage_bill__isnull=False,
    )
    return [row for row in rows if (row.provider_id, row.site, row.month) in wanted]


def eclipsed(rows: Sequence[Row]) -> set[str]:
    """The natural keys of those summaries among the rows that must not be charged."""
    summaries = [row for row in rows if row.type in ECLIPSED_BY]
    if not summaries:
        return set()
    present = _present(summaries)
    present |= {(row.type, row.provider_id, row.site, row.month) for row in rows if row.chargeable}
    return {
        row.natural_key
        for row in summaries
        if any(
            (kind, row.provider_id, row.site, row.month) in present
            for kind in ECLIPSED_BY[row.type]
        )
    }


def _present(summaries: Sequence[Row]) -> set[tuple[str, int | None, str, date | None]]:
    """Type, provider, site and month of what is here at the places of these summaries."""
    here = Q(
        provider_id__in={row.provider_id for row in summaries},
        site__among={row.site for row in summaries},
        month__in={row.month for row in summaries},
    )
    jobs = UsageMonth.objects.filter(here, jobs__gt=0).values_list("provider_id", "site", "month")
    found = {(RecordType.JOB.value, *place) for place in jobs}
    others = UsageRecord.objects.filter(
        here, superseded_by__isnull=True, type__in=_ECLIPSING, chargeable=True
    )
    return found | set(others.values_list("type", "provider_id", "site", "month"))
