"""Reading accounts: which to pay from, open holds, who spent what, what a job cost.

The account's statement is in `accounting.statements`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import BigIntegerField, Case, Count, F, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce, TruncMonth

from accounting.models import (
    Account,
    AccountKind,
    AccountStatus,
    JobBill,
    MemberCap,
    Phase,
    Quote,
    Transfer,
    TransferKind,
    UsageRecord,
)
from accounting.statements import Line, Statement, statement
from common.clock import now
from people.access import is_operator
from people.models import Role, User

__all__ = ["Line", "Statement", "statement"]

RATE_DAYS = 30  # over which the present rate of spending is taken


@dataclass(frozen=True, slots=True)
class MemberSpending:
    """What one member spent in one month: micro-credits, less refunds. `member` None: nobody."""

    member: User | None
    month: date
    amount: int
    charges: int


@dataclass(frozen=True, slots=True)
class JobCost:
    """Everything about the cost of a job. No bill: it was never submitted."""

    quote: Quote | None
    bill: JobBill | None
    records: list[UsageRecord]
    transfers: list[Transfer]


def payable_accounts(user: User) -> QuerySet[Account]:
    """The open accounts that the user may pay from: the groups', then the own one."""
    mine = Q(user=user) | Q(group__memberships__user=user)
    return (
        Account.objects.filter(mine, status=AccountStatus.OPEN).distinct().order_by("kind", "name")
    )


def manageable_accounts(user: User) -> QuerySet[Account]:
    """The group accounts that the user administers; every account for operators."""
    if is_operator(user):
        return Account.objects.order_by("kind", "name")
    administers = Q(group__memberships__user=user, group__memberships__role=Role.ADMIN)
    return Account.objects.filter(administers, kind=AccountKind.GROUP).distinct().order_by("name")


def open_holds(account: Account, *, member_id: int | None = None) -> QuerySet[Transfer]:
    """The holds on the account that are neither charged nor released, newest first."""
    holds = Transfer.objects.filter(
        debit=account, phase=Phase.PENDING, resolutions__isnull=True
    ).order_by("-created_at", "-id")
    return holds if member_id is None else holds.filter(member_id=member_id)


def cap_of(account: Account, member_id: int) -> MemberCap | None:
    """The member's limit on the account, None if there is none."""
    return MemberCap.objects.filter(account=account, member_id=member_id).first()


def caps_of(account: Account) -> dict[int, MemberCap]:
    """The limits on the account by member id."""
    return {cap.member_id: cap for cap in MemberCap.objects.filter(account=account)}


def spending_by_member(
    account: Account, *, since: datetime | None = None, member_id: int | None = None
) -> list[MemberSpending]:
    """Who spent what in which month, latest month first, then the largest."""
    spent = _spending(account, since)
    if member_id is not None:
        spent = spent.filter(Q(spender=member_id))
    rows = list(
        spent.annotate(month=TruncMonth("created_at"))
        .values("spender", "month")
        .annotate(sum=Sum("net"), charges=Count("id", filter=Q(debit=account)))
        .order_by("-month", "-sum", "spender")
    )
    members = User.objects.in_bulk({row["spender"] for row in rows if row["spender"] is not None})
    return [
        MemberSpending(
            member=members.get(row["spender"]),
            month=row["month"].date(),
            amount=row["sum"],
            charges=row["charges"],
        )
        for row in rows
    ]


def days_left(account: Account) -> int | None:
    """Whole days until the available credit is used up at the rate of the last 30 days.

    None if nothing was spent in that time. An account younger than that counts from its first
    charge.
    """
    at = now()
    spent = _spending(account, at - timedelta(days=RATE_DAYS))
    total = spent.aggregate(sum=Sum("net"))["sum"] or 0
    first = spent.order_by("created_at").values_list("created_at", flat=True).first()
    if total <= 0 or first is None:
        return None
    seconds = max(timedelta(days=1), at - first).total_seconds()
    return max(0, account.available) * int(seconds) // (total * 86_400)


def job_cost(job_id: UUID) -> JobCost:
    """Quote, bill, current usage records and transfers of a job, each in order of time."""
    bill = JobBill.objects.select_related("quote", "account").filter(job_id=job_id).first()
    if bill is None:
        return JobCost(None, None, [], [])
    records = bill.usage_records.filter(superseded_by__isnull=True).order_by("id")
    ids = [pk for pk in (bill.hold_id, bill.charge_id) if pk is not None]
    transfers = Transfer.objects.filter(
        Q(pk__in=ids) | Q(pending_id__in=ids) | Q(reverses_id__in=ids) | Q(reference=str(job_id))
    )
    return JobCost(bill.quote, bill, list(records), list(transfers.order_by("created_at", "id")))


def _spending(account: Account, since: datetime | None) -> QuerySet[Transfer, Any]:
    """Charges to the account with their refunds as negative `net`, and who is the `spender`."""
    charges = Q(debit=account, phase__in=(Phase.SINGLE, Phase.POST), kind=TransferKind.CHARGE)
    refunds = Q(credit=account, kind=TransferKind.REFUND)
    spent = Transfer.objects.filter(charges | refunds)
    if since is not None:
        spent = spent.filter(created_at__gte=since)
    return spent.annotate(
        net=Case(
            When(debit=account, then=F("amount")),
            default=-F("amount"),
            output_field=BigIntegerField(),
        ),
        spender=Coalesce(
            "reverses__member_id", "reverses__pending__member_id", "member_id", "pending__member_id"
        ),
    )
