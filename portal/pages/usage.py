"""Usage records of a provider: what came, what fits no job, what is held back."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from accounting.accounts import provider_account
from accounting.models import JobBill, RecordState, UsageMessage, UsageRecord
from providers.models import Provider

LATEST = 15


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts and the latest records; money in micro-credits."""

    counts: list[tuple[str, str, int]]
    latest: list[UsageRecord]
    rejected: list[UsageMessage]
    awaiting: int
    income: int
    uncharged: int


def usage_of(provider: Provider) -> Usage:
    """What the provider has reported, in a handful of queries."""
    records = UsageRecord.objects.filter(provider_id=provider.pk, superseded_by=None)
    by_state = dict(records.order_by().values_list("state").annotate(Count("pk")))
    bills = JobBill.objects.filter(provider_id=provider.pk)
    messages = UsageMessage.objects.filter(provider_id=provider.pk)
    return Usage(
        counts=[(s.value, str(s.label), by_state.get(s.value, 0)) for s in RecordState],
        latest=list(records.order_by("-id")[:LATEST]),
        rejected=list(messages.exclude(state="LOADED").defer("body")[:5]),
        awaiting=bills.filter(state="AWAITING_USAGE").count(),
        income=provider_account(provider.pk, provider.name).posted,
        uncharged=bills.aggregate(sum=Sum("uncharged"))["sum"] or 0,
    )
