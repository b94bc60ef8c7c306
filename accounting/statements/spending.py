"""Who spent how much on what in which month: charges less refunds, for tables and charts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.core.cache import cache
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DateTimeField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    UUIDField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Greatest, Replace, TruncMonth

from accounting.models import (
    Account,
    Entry,
    JobBill,
    MonthlyStatement,
    Phase,
    Transfer,
    TransferKind,
)
from accounting.statements.months import begin, month_of, shifted

KEPT_SECONDS = 35 * 24 * 3600
# On whose behalf a charge or its refund was, from the transfer.
_SPENDER = (
    "reverses__member_id",
    "reverses__pending__member_id",
    "member_id",
    "pending__member_id",
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What one member spent on one service in one month (UTC): micro-credits, less refunds.

    `member_id` None: nobody in particular. `service_id` None: usage without a job of the portal.
    """

    month: date
    member_id: int | None
    service_id: int | None
    amount: int
    charges: int


def figures(
    account: Account, *, first: date, last: date, member_id: int | None = None
) -> list[Spent]:
    """The spending of the months `first` to `last`, latest month first, then the largest.

    A month has the entries of its statement; what came after the last closed month is of the month
    in which it was created. Closed months never change: their figures are kept in the cache, under
    the seal that covers them. At most three queries, however many charges, and with a warm cache
    only what is not closed yet is added up.
    """
    closed = list(account.monthly_statements.select_related("seal").order_by("month"))
    spent = _of_closed([row for row in closed if first <= row.month <= last])
    if not closed or closed[-1].month < last:
        newest = closed[-1] if closed else None
        spent += [row for row in _of_open(account, newest) if first <= row.month <= last]
    if member_id is not None:
        spent = [row for row in spent if row.member_id == member_id]
    return sorted(spent, key=_latest_and_largest)


def spent_from(account: Account, *, since: datetime | None = None) -> QuerySet[Transfer, Any]:
    """Charges to the account with their refunds as negative `net`, and who is the `spender`."""
    within = Q() if since is None else Q(created_at__gte=since)
    # The bound stands in both halves, so that each is a walk along its own index.
    charges = within & Q(
        debit=account, phase__in=(Phase.SINGLE, Phase.POST), kind=TransferKind.CHARGE
    )
    refunds = within & Q(credit=account, kind=TransferKind.REFUND)
    return Transfer.objects.filter(charges | refunds).annotate(
        net=Case(
            When(debit=account, then=F("amount")),
            default=-F("amount"),
            output_field=BigIntegerField(),
        ),
        spender=Coalesce(*_SPENDER),
    )


def months_of(first: date, last: date) -> list[date]:
    """Every month from the first to the last."""
    return [
        shifted(first, n)
        for n in range((last.year - first.year) * 12 + last.month - first.month + 1)
    ]


def stacked(
    rows: Sequence[Spent], which: str, months: Sequence[date], *, most: int
) -> list[tuple[Hashable, list[int]]]:
    """Amounts per month for each member or service (`which` is the name of Spent's field).

    The largest first; where there are more than `most`, the others together under the key "others".
    """
    place = {month: number for number, month in enumerate(months)}
    amounts: dict[Hashable, list[int]] = defaultdict(lambda: [0] * len(months))
    for row in rows:
        amounts[getattr(row, which)][place[row.month]] += row.amount
    largest = sorted(amounts.items(), key=lambda pair: -sum(pair[1]))
    if len(largest) <= most:
        return largest
    rest = [
        sum(column)
        for column in zip(*(values for _key, values in largest[most - 1 :]), strict=True)
    ]
    return [*largest[: most - 1], ("others", rest)]


def _service() -> Coalesce:
    """The service of an entry's job: through its hold, else (nothing was held) by its `job`."""
    return Coalesce(
        F("transfer__pending__bill__service_id"),
        F("transfer__reverses__pending__bill__service_id"),
        Subquery(JobBill.objects.filter(pk=OuterRef("job")).values("service_id")),
    )


# What charges and refunds of a job have as their reference: its identifier.
_JOB = Case(
    When(
        transfer__reference__regex=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        then=Cast(Replace("transfer__reference", Value("-"), Value("")), UUIDField()),
    ),
)


def _of_closed(statements: Sequence[MonthlyStatement]) -> list[Spent]:
    keys = {_key(one): one for one in statements if one.last_version >= one.first_version}
    known: dict[str, list[Spent]] = cache.get_many(keys)
    missing = {key: one for key, one in keys.items() if key not in known}
    if missing:
        added = _added_up(list(missing.values()))
        fresh = {key: added[one.month] for key, one in missing.items()}
        cache.set_many(fresh, KEPT_SECONDS)
        known |= fresh
    return [row for rows in known.values() for row in rows]


def _key(statement: MonthlyStatement) -> str:
    """The seal's hash stands for every entry up to its own: another ledger has another key."""
    seal = statement.seal.hash if statement.seal else ""
    return f"spending:2:{statement.account_id}:{statement.month:%Y-%m}:{seal}"


def _added_up(statements: Sequence[MonthlyStatement]) -> dict[date, list[Spent]]:
    """The rows of each of an account's months."""
    versions = Q()
    for one in statements:
        versions |= Q(version__range=(one.first_version, one.last_version))
    month = Case(
        *(When(version__lte=one.last_version, then=Value(begin(one.month))) for one in statements),
        output_field=DateTimeField(),
    )
    found: dict[date, list[Spent]] = {one.month: [] for one in statements}
    for row in _rows(_entries(statements[0].account_id).filter(versions), month):
        found[row.month].append(row)
    return found


def _of_open(account: Account, newest: MonthlyStatement | None) -> list[Spent]:
    """What no statement has yet. What was created in a closed month came too late for it."""
    if newest is None:
        return _rows(_entries(account.pk), TruncMonth("transfer__created_at", tzinfo=UTC))
    earliest = Value(begin(shifted(newest.month, 1)), output_field=DateTimeField())
    month = TruncMonth(Greatest("transfer__created_at", earliest), tzinfo=UTC)
    return _rows(_entries(account.pk).filter(version__gt=newest.last_version), month)


def _entries(account_id: int) -> QuerySet[Entry, Any]:
    """The account's entries of charges that it paid, and of their refunds."""
    charge = Q(transfer__kind=TransferKind.CHARGE, amount__lt=0)
    refund = Q(transfer__kind=TransferKind.REFUND, amount__gt=0)
    return Entry.objects.filter(charge | refund, account=account_id)


def _rows(entries: QuerySet[Entry, Any], month: Combinable) -> list[Spent]:
    found = entries.annotate(
        month=month,
        spender=Coalesce(*(f"transfer__{path}" for path in _SPENDER)),
        job=_JOB,
        service=_service(),
    ).values_list("month", "spender", "service")
    rows = found.annotate(net=-Sum("amount"), charges=Count("pk", filter=Q(amount__lt=0)))
    return [
        Spent(month_of(at), spender, service, net, charges)
        for at, spender, service, net, charges in rows.order_by()
    ]


def _latest_and_largest(row: Spent) -> tuple[int, int, int, int]:
    return -row.month.toordinal(), -row.amount, row.member_id or 0, row.service_id or 0
