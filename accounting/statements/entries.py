"""The booked lines of an account in the order of booking: what was credited and debited.

Holds are not among them (they are in `accounting.statements.lines`). The order is the entries'
version, which the ledger counts under the account's lock: a stretch of versions never changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from accounting.models import Account, Entry, TransferKind

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Booking:
    """One entry with its transfer; amounts in micro-credits.

    `amount` is what came (+) or went (-), `balance` what was there after it. `effective_at` is when
    it counts for, `at` when it was booked. `member_id` is on whose behalf a group paid, or gets
    back.
    """

    version: int
    transfer_id: UUID
    at: datetime
    effective_at: datetime
    kind: TransferKind
    amount: int
    balance: int
    counterparty: str
    member_id: int | None
    reference: str
    reason: str
    actor: str

    @property
    def debit(self) -> int:
        return max(0, -self.amount)

    @property
    def credit(self) -> int:
        return max(0, self.amount)

    @property
    def backdated(self) -> bool:
        """Whether it counts for an earlier day than the one it was booked on."""
        return self.effective_at.date() < self.at.date()


def bookings(
    account: Account,
    first: int,
    last: int,
    *,
    member_id: int | None = None,
    limit: int,
) -> list[Booking]:
    """At most `limit` lines of the versions `first` to `last`, oldest first; only a member's own
    with `member_id`. One query; it walks along the index on account and version.
    """
    rows = Entry.objects.filter(account=account, version__gte=first, version__lte=last)
    if member_id is not None:
        rows = rows.filter(_of_member(member_id))
    spender = Coalesce(*(F(path) for path in _MEMBER))
    values = rows.order_by("version").annotate(spender=spender).values(*_FACTS, "spender")[:limit]
    return [_booking(row) for row in values]


def chunks(
    account: Account, first: int, last: int, *, member_id: int | None = None
) -> Iterator[list[Booking]]:
    """All lines of the versions, in chunks: memory does not grow with their number."""
    while found := bookings(account, first, last, member_id=member_id, limit=CHUNK):
        yield found
        first = found[-1].version + 1


_MEMBER = (
    "transfer__reverses__member_id",
    "transfer__reverses__pending__member_id",
    "transfer__member_id",
    "transfer__pending__member_id",
)
_FACTS = (
    "version",
    "amount",
    "balance_after",
    "transfer_id",
    "transfer__created_at",
    "transfer__effective_at",
    "transfer__kind",
    "transfer__reference",
    "transfer__reason",
    "transfer__actor",
    "transfer__debit__name",
    "transfer__debit__code",
    "transfer__credit__name",
    "transfer__credit__code",
)


def _of_member(member_id: int) -> Q:
    mine = Q()
    for path in _MEMBER:
        mine |= Q(**{path: member_id})
    return mine


def _booking(row: dict[str, Any]) -> Booking:
    other = "credit" if row["amount"] < 0 else "debit"
    return Booking(
        version=row["version"],
        transfer_id=row["transfer_id"],
        at=row["transfer__created_at"],
        effective_at=row["transfer__effective_at"],
        kind=TransferKind(row["transfer__kind"]),
        amount=row["amount"],
        balance=row["balance_after"],
        counterparty=row[f"transfer__{other}__name"] or row[f"transfer__{other}__code"],
        member_id=row["spender"],
        reference=row["transfer__reference"],
        reason=row["transfer__reason"],
        actor=row["transfer__actor"],
    )
