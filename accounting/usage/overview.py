"""What usage came in, by provider, and what of it waits for somebody."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Aggregate, Count, Min, Q, QuerySet, Sum

from accounting.models import (
    BillState,
    JobBill,
    MessageState,
    QuarantinedRecord,
    RecordState,
    RecordType,
    UsageMessage,
    UsageMonth,
    UsageRecord,
)

MATCHED = (RecordState.MATCHED, RecordState.CHARGED, RecordState.FREE)
OPEN_STATES = (RecordState.UNMATCHED, RecordState.HELD_BACK)


@dataclass(slots=True)
class ProviderUsage:
    """One provider's usage; `provider_id` None: the sender is not known.

    Since a moment: messages, records (newest revisions), matched, and their `cost` (micro-credits).
    At present: rejected messages, unmatched, held back and quarantined records, ended jobs without
    a record (`missing`, the oldest since `missing_since`).
    """

    provider_id: int | None
    messages: int = 0
    records: int = 0
    matched: int = 0
    cost: int = 0
    rejected: int = 0
    unmatched: int = 0
    held_back: int = 0
    quarantined: int = 0
    missing: int = 0
    missing_since: datetime | None = None

    @property
    def waiting(self) -> int:
        """What somebody should look at."""
        return self.rejected + self.unmatched + self.held_back + self.quarantined


@dataclass(frozen=True, slots=True)
class SiteMonth:
    """What a site says it published in a month, and what came of it."""

    provider_id: int
    site: str
    submit_host: str
    month: date
    published: int
    received: int

    @property
    def difference(self) -> int:
        """Records that are not here (positive) or that the site does not know of (negative)."""
        return self.published - self.received


def overview(providers: Collection[int] | None, *, since: datetime) -> list[ProviderUsage]:
    """A line for each provider that has usage; `providers` None: all, with the unknown senders."""
    lines: dict[int | None, ProviderUsage] = {}

    def line(provider_id: int | None) -> ProviderUsage:
        return lines.setdefault(provider_id, ProviderUsage(provider_id))

    recent = _of(UsageMessage.objects.filter(received_at__gte=since), providers)
    for provider_id, messages in _by_provider(recent, Count("pk")):
        line(provider_id).messages = messages
    refused = UsageMessage.objects.filter(state=MessageState.REJECTED, dropped_by="")
    rejected = _of(refused, providers)
    for provider_id, number in _by_provider(rejected, Count("pk")):
        line(provider_id).rejected = number
    _count_records(providers, since, line)
    waiting = _of(QuarantinedRecord.objects.filter(state="WAITING"), providers)
    for provider_id, number in _by_provider(waiting, Count("pk")):
        line(provider_id).quarantined = number
    silent = _of(JobBill.objects.filter(state=BillState.AWAITING_USAGE), providers)
    for provider_id, number, oldest in _by_provider(silent, Count("pk"), Min("ended_at")):
        line(provider_id).missing, line(provider_id).missing_since = number, oldest
    return sorted(lines.values(), key=lambda one: (-one.waiting, one.provider_id or 0))


def records_in(
    state: str, providers: Collection[int] | None = None
) -> QuerySet[UsageRecord, UsageRecord]:
    """The newest revisions in a state, newest first; "" for all states."""
    rows = _of(UsageRecord.objects.filter(superseded_by=None), providers)
    return (rows.filter(state=state) if state else rows).select_related("message").order_by("-pk")


def missing_usage(providers: Collection[int] | None = None) -> QuerySet[JobBill, JobBill]:
    """The jobs at their end whose usage nobody reported, the oldest first."""
    rows = _of(JobBill.objects.filter(state=BillState.AWAITING_USAGE), providers)
    return rows.select_related("account", "hold").order_by("ended_at", "pk")


def site_months(rows: Collection[UsageRecord]) -> list[SiteMonth]:
    """What these sync records say, beside what was received. Two queries for any number of rows."""
    keys = [(r.provider_id or 0, r.site, r.fields.get("SubmitHost") or "", _month(r)) for r in rows]
    wanted = {key[3] for key in keys}
    counted: dict[tuple[Any, ...], int] = {}
    months = UsageMonth.objects.filter(
        month__in=wanted, provider_id__in={key[0] for key in keys}, site__in={k[1] for k in keys}
    )
    for provider_id, site, host, month, jobs in months.values_list(
        "provider_id", "site", "submit_host", "month", "jobs"
    ):
        for key in {(provider_id, site, host, month), (provider_id, site, "", month)}:
            counted[key] = counted.get(key, 0) + jobs
    return [
        SiteMonth(
            *key, published=int(row.fields.get("NumberOfJobs") or 0), received=counted.get(key, 0)
        )
        for key, row in zip(keys, rows, strict=True)
    ]


def sync_records(providers: Collection[int] | None = None) -> QuerySet[UsageRecord, UsageRecord]:
    """The newest counts that sites published, newest month first."""
    rows = _of(UsageRecord.objects.filter(superseded_by=None, type=RecordType.SYNC), providers)
    return rows.order_by("-ended", "site", "pk")


def _month(record: UsageRecord) -> date:
    return date(int(record.fields["Year"]), int(record.fields["Month"]), 1)


def _count_records(providers: Collection[int] | None, since: datetime, line: Any) -> None:
    recent = _of(
        UsageRecord.objects.filter(superseded_by=None, message__received_at__gte=since), providers
    )
    matched_ones = Count("pk", filter=Q(state__in=MATCHED))
    price = Sum("cost", filter=Q(state=RecordState.CHARGED), default=0)
    for provider_id, records, matched, cost in _by_provider(
        recent, Count("pk"), matched_ones, price
    ):
        line(provider_id).records = records
        line(provider_id).matched, line(provider_id).cost = matched, cost
    open_ones = _of(
        UsageRecord.objects.filter(superseded_by=None, state__in=OPEN_STATES), providers
    )
    unmatched_ones = Count("pk", filter=Q(state=RecordState.UNMATCHED))
    held_ones = Count("pk", filter=Q(state=RecordState.HELD_BACK))
    for provider_id, unmatched, held_back in _by_provider(open_ones, unmatched_ones, held_ones):
        line(provider_id).unmatched, line(provider_id).held_back = unmatched, held_back


def _of(rows: QuerySet[Any, Any], providers: Collection[int] | None) -> QuerySet[Any, Any]:
    return (
        rows.order_by() if providers is None else rows.filter(provider_id__in=providers).order_by()
    )


def _by_provider(rows: QuerySet[Any, Any], *figures: Aggregate) -> QuerySet[Any, Any]:
    """(provider, figure, …) for each provider among the rows."""
    named = {f"figure{number}": figure for number, figure in enumerate(figures)}
    return rows.values("provider_id").annotate(**named).values_list("provider_id", *named)
