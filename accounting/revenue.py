"""What a provider earned, from the ledger: by month, and by service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import BigIntegerField, Case, Count, F, Q, Sum, When
from django.db.models.functions import TruncMonth

from accounting.models import Account, JobBill, Phase, Transfer, TransferKind, UsageBill

_POSTED = (Phase.SINGLE, Phase.POST)


@dataclass(frozen=True, slots=True)
class MonthRevenue:
    """A month (UTC) in micro-credits: charges, refunds, other movements; `total` is their sum.

    `jobs` is the number of jobs that were charged in it.
    """

    month: date
    charges: int
    refunds: int
    other: int
    total: int
    jobs: int


@dataclass(frozen=True, slots=True)
class ServiceRevenue:
    """What a service earned in all, less refunds, and how many of its jobs were charged.

    `service_id` None: usage without a job.
    """

    service_id: int | None
    amount: int
    jobs: int
    uncharged: int


def revenue_by_month(account: Account) -> list[MonthRevenue]:
    """Every month in which something was booked, newest first; the totals add up to `posted`."""
    side = Q(credit=account) | Q(debit=account)
    signed = Case(
        When(credit=account, then=F("amount")),
        default=-F("amount"),
        output_field=BigIntegerField(),
    )
    charge, refund = Q(kind=TransferKind.CHARGE), Q(kind=TransferKind.REFUND)
    without_job = Q(reference__startswith="usage:")
    rows = (
        Transfer.objects.filter(side, phase__in=_POSTED)
        .order_by()
        .annotate(month=TruncMonth("created_at"), signed=signed)
        .values("month")
        .annotate(
            charges=Sum("signed", filter=charge, default=0),
            given_back=Sum("signed", filter=refund, default=0),
            other=Sum("signed", filter=~(charge | refund), default=0),
            total=Sum("signed"),
            jobs=Count("reference", filter=charge & ~without_job, distinct=True),
        )
        .order_by("-month")
    )
    return [
        MonthRevenue(
            row["month"].date(),
            row["charges"],
            row["given_back"],
            row["other"],
            row["total"],
            row["jobs"],
        )
        for row in rows
    ]


def revenue_by_service(provider_id: int) -> list[ServiceRevenue]:
    """Every service that earned something or was not paid in full, the most first."""
    net = Sum(F("charged") - F("refunded"))
    by_service = (
        JobBill.objects.filter(Q(charged__gt=0) | Q(uncharged__gt=0), provider_id=provider_id)
        .order_by()
        .values("service_id")
        .annotate(amount=net, jobs=Count("pk", filter=Q(charged__gt=0)), lost=Sum("uncharged"))
        .values_list("service_id", "amount", "jobs", "lost")
    )
    found = [ServiceRevenue(*row) for row in by_service]
    alone = UsageBill.objects.filter(provider_id=provider_id).aggregate(
        amount=net, uncharged=Sum("uncharged")
    )
    if alone["amount"] or alone["uncharged"]:
        found.append(ServiceRevenue(None, alone["amount"], 0, alone["uncharged"]))
    return sorted(found, key=lambda one: (-one.amount, one.service_id or 0))
