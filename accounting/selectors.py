"""Reading accounts: which to pay from, open holds, who spent what, what a job cost.

The account's statement is in `accounting.statements.lines`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from accounting.credit.caps import cap_of, caps_of
from accounting.ledger import named
from accounting.models import (
    Account,
    AccountKind,
    AccountStatus,
    JobBill,
    Phase,
    Quote,
    Transfer,
    UsageRecord,
)
from accounting.statements.lines import Line, Statement, statement
from accounting.statements.spending import spent_from
from common.clock import now
from common.prepared import Prepared
from people.access import is_operator
from people.models import Membership, Role, User

__all__ = ["Line", "Statement", "cap_of", "caps_of", "statement"]

RATE_DAYS = 30  # over which the present rate of spending is taken
FAR_DAYS = 3_650  # from which nobody is told how long credit lasts


@dataclass(frozen=True, slots=True)
class JobCost:
    """Everything about the cost of a job. No bill: it was never submitted."""

    quote: Quote | None
    bill: JobBill | None
    records: list[UsageRecord]
    transfers: list[Transfer]


def payable_accounts(user: User) -> list[Account]:
    """The open accounts that the user may pay from: the groups', then the own one."""
    found = _PAYABLE.all(user.pk)
    for account in found:
        account.payable_by = user.pk
    return found


_PAYABLE = Prepared(
    lambda user: (
        Account.objects.select_related("group")
        .filter(
            Q(user=user) | Q(group__in=Membership.objects.filter(user=user).values("group")),
            status=AccountStatus.OPEN,
        )
        .order_by("kind", "name")
    ),
    int,
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


def spent_by_members(account: Account, member_ids: Collection[int]) -> dict[int, int]:
    """What each of the members spent from the account in all, less refunds; who spent nothing is
    absent."""
    spent = spent_from(account).filter(Q(spender__in=member_ids)).order_by()
    sums = spent.annotate(who=F("spender")).values("who").annotate(sum=Sum("net"))
    return {row["who"]: row["sum"] for row in sums}


def days_left(account: Account) -> int | None:
    """Whole days until the available credit is used up at the rate of the last 30 days.

    None if nothing was spent in that time, or if it lasts for years (FAR_DAYS). An account younger
    than that counts from its first charge.
    """
    at = now()
    spent = spent_from(account, since=at - timedelta(days=RATE_DAYS))
    total = spent.aggregate(sum=Sum("net"))["sum"] or 0
    first = spent.order_by("created_at").values_list("created_at", flat=True).first()
    if total <= 0 or first is None:
        return None
    seconds = max(timedelta(days=1), at - first).total_seconds()
    days = max(0, account.available) * int(seconds) // (total * 86_400)
    return days if days < FAR_DAYS else None


def job_cost(job_id: UUID) -> JobCost:
    """Quote, bill, current usage records and transfers of a job, each in order of time."""
    bill = JobBill.objects.select_related("quote", "account").filter(job_id=job_id).first()
    if bill is None:
        return JobCost(None, None, [], [])
    records = bill.usage_records.filter(superseded_by__isnull=True).order_by("id")
    ids = [pk for pk in (bill.hold_id, bill.charge_id) if pk is not None]
    ids += named(str(job_id))
    transfers = Transfer.objects.filter(
        Q(pk__in=ids) | Q(pending_id__in=ids) | Q(reverses_id__in=ids)
    )
    return JobCost(bill.quote, bill, list(records), list(transfers.order_by("created_at", "id")))
