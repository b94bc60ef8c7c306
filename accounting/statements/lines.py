"""The statement of an account: its transfers as the lines that its owner understands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from accounting.models import Account, Phase, Transfer, TransferKind
from common.errors import InvalidInput

_POSTED = (Phase.SINGLE, Phase.POST)


@dataclass(frozen=True, slots=True)
class Line:
    """One change of an account, in micro-credits.

    `amount` is what came (+) or went (-), `held` what was put under a hold (+) or released from one
    (-). `balance` and `available` are what they were after the line; None where only one member's
    lines are shown. A charge below its hold makes two lines: the charge, and the release of the
    rest.
    """

    transfer_id: UUID
    at: datetime
    kind: TransferKind
    amount: int
    held: int
    balance: int | None
    available: int | None
    counterparty: str
    member_id: int | None
    reference: str
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class Statement:
    """Lines, newest first; `older` continues with the next page, "" after the last one."""

    lines: list[Line]
    older: str


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page begins: after this transfer, with the account as it was before it."""

    at: datetime
    id: UUID
    posted: int
    held: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.id.hex}_{self.posted}_{self.held}"

    @classmethod
    def parse(cls, text: str) -> _Cursor:
        try:
            at, key, posted, held = text.split("_")
            cursor = cls(datetime.fromisoformat(at), UUID(key), int(posted), int(held))
        except ValueError:
            cursor = None
        if cursor is None or cursor.at.tzinfo is None:
            raise InvalidInput(_("This is not the beginning of a page."), locator="before")
        return cursor


def statement(
    account: Account, *, member_id: int | None = None, before: str | None = None, limit: int = 50
) -> Statement:
    """At most `limit` transfers of the account, newest first, from `before` (Statement.older) on.

    With `member_id` only what that member spent, held and got back. Raises InvalidInput for a
    `before` that is none.
    """
    cursor = _Cursor.parse(before) if before else None
    rows = list(_page(account, member_id, cursor, limit + 1))
    posted, held = (cursor.posted, cursor.held) if cursor else _state(rows)
    lines: list[Line] = []
    for row in rows[:limit]:
        lines += _lines(row, account, None if member_id is not None else (posted, held))
        amount, kept = _effect(row, account)
        posted, held = posted - amount, held - kept
    if len(rows) <= limit:
        return Statement(lines, "")
    last = rows[limit - 1]
    return Statement(lines, str(_Cursor(last.created_at, last.pk, posted, held)))


def _page(
    account: Account, member_id: int | None, cursor: _Cursor | None, limit: int
) -> QuerySet[Transfer, Any]:
    """One query, so that the lines and the account's present state belong together."""
    rows = Transfer.objects.all()
    if cursor is not None:
        earlier = Q(created_at__lt=cursor.at) | Q(created_at=cursor.at, id__lt=cursor.id)
        rows = rows.filter(earlier, created_at__lte=cursor.at)
    if member_id is not None:
        rows = rows.filter(
            Q(member_id=member_id)
            | Q(pending__member_id=member_id)
            | Q(reverses__member_id=member_id)
            | Q(reverses__pending__member_id=member_id)
        )
    newest = ("-created_at", "-id")
    # A walk along an index for each side: one over both would sort the whole account.
    paid = rows.filter(debit=account).order_by(*newest).values("pk")[:limit]
    received = rows.filter(credit=account, phase__in=_POSTED).order_by(*newest).values("pk")[:limit]
    present = Account.objects.filter(pk=account.pk)
    return (
        Transfer.objects.filter(pk__in=_either(paid, received))
        .annotate(
            posted_now=Subquery(present.values("posted")), held_now=Subquery(present.values("held"))
        )
        .select_related("debit", "credit", "pending", "reverses__pending")
        .order_by(*newest)[:limit]
    )


def _either(*sides: QuerySet[Transfer, Any]) -> RawSQL:
    """The ids of both: an OR of two subqueries would read the whole table on PostgreSQL."""
    parts = [side.query.sql_with_params() for side in sides]
    sql = " UNION ALL ".join(f"SELECT * FROM ({part}) side" for part, _parameters in parts)  # noqa: S608
    return RawSQL(sql, [value for _part, parameters in parts for value in parameters])  # noqa: S611


def _state(rows: list[Any]) -> tuple[int, int]:
    return (rows[0].posted_now, rows[0].held_now) if rows else (0, 0)


def _effect(row: Transfer, account: Account) -> tuple[int, int]:
    """By how much the transfer changed what the account has, and what is held of it."""
    amount = row.amount if row.phase in _POSTED else 0
    if row.credit_id == account.pk:
        return amount, 0
    if row.phase == Phase.PENDING:
        return 0, row.amount
    return -amount, -row.pending.amount if row.pending else 0


def _lines(row: Transfer, account: Account, after: tuple[int, int] | None) -> list[Line]:
    """The newest first, as on the statement. `after` is posted and held after the transfer."""
    amount, held = _effect(row, account)
    charge = _line(row, account, row.kind, amount, held, after)
    rest = amount - held if row.phase == Phase.POST and held else 0  # of the payer's hold
    if rest <= 0:
        return [charge]
    between = (after[0], after[1] + rest) if after else None
    return [
        _line(row, account, TransferKind.RELEASE, 0, -rest, after),
        _line(row, account, row.kind, amount, amount, between),
    ]


def _line(
    row: Transfer,
    account: Account,
    kind: str,
    amount: int,
    held: int,
    after: tuple[int, int] | None,
) -> Line:
    spend = row.reverses or row
    hold = spend.pending
    return Line(
        transfer_id=row.pk,
        at=row.created_at,
        kind=TransferKind(kind),
        amount=amount,
        held=held,
        balance=after[0] if after else None,
        available=after[0] - after[1] - (account.floor or 0) if after else None,
        counterparty=str(row.debit if row.credit_id == account.pk else row.credit),
        member_id=spend.member_id or (hold.member_id if hold else None),
        reference=row.reference,
        reason=row.reason,
        actor=row.actor,
    )
