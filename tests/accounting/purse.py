"""A group's account, a member's own and a provider, on a calendar that is moved by hand."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from accounting.accounts import group_account, provider_account, user_account
from accounting.credit import lots
from accounting.credit.grants import give
from accounting.credit.transfers import grant_to_member, take_back
from accounting.ledger import post
from accounting.models import Account, Phase, Transfer, TransferKind
from tests.factories import make_group, make_user

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Calendar:
    """The portal's clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = BEGIN
        for module in ("ledger", "credit.grants", "accounts"):
            monkeypatch.setattr(f"accounting.{module}.now", lambda: self.at)

    def days(self, days: float) -> None:
        self.at += days * DAY


class Purse:
    """A group's account, a member's own, a provider; everything through the portal's services."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.operator, self.admin, self.member = make_user(is_staff=True), make_user(), make_user()
        self.group = make_group(admin=self.admin, members=(self.member,))
        self.shared, self.own = group_account(self.group), user_account(self.member)
        self.provider = provider_account(1, "Centre")

    def issue(self, amount: int, days: float | None = None, to: Account | None = None) -> None:
        give(
            actor=self.operator,
            account=to or self.shared,
            amount=amount,
            reason="why",
            key=uuid.uuid4().hex,
            expires_at=None if days is None else self.calendar.at + days * DAY,
        )

    def book(self, phase: str, kind: str, amount: int, **extra: object) -> Transfer:
        sides = {"debit": self.shared, "credit": self.provider, "id": uuid.uuid4()}
        return post(
            phase=Phase(phase), kind=TransferKind(kind), amount=amount, **{**sides, **extra}
        )[0]

    def hold(self, amount: int, debit: Account | None = None) -> Transfer:
        return self.book("pending", "HOLD", amount, debit=debit or self.shared)

    def charge(self, hold: Transfer, amount: int) -> Transfer:
        payer = Account.objects.get(pk=hold.debit_id)
        return self.book("post", "CHARGE", amount, pending=hold, debit=payer)

    def release(self, hold: Transfer) -> None:
        payer = Account.objects.get(pk=hold.debit_id)
        self.book("void", "RELEASE", hold.amount, pending=hold, debit=payer)

    def spend(self, amount: int) -> Transfer:
        return self.charge(self.hold(amount), amount)

    def refund(self, charge: Transfer, amount: int) -> None:
        payer = Account.objects.get(pk=charge.debit_id)
        self.book("single", "REFUND", amount, debit=self.provider, credit=payer, reverses=charge)

    def pass_on(self, amount: int, *, back: bool = False) -> Transfer:
        return (take_back if back else grant_to_member)(
            actor=self.admin,
            group=self.group,
            member=self.member,
            amount=amount,
            reason="why",
            key=uuid.uuid4().hex,
        )

    def left(self, account: Account | None = None) -> dict[float, int]:
        """What is left by days since the beginning."""
        return {
            (lot.at - BEGIN) / DAY: lot.amount for lot in lots.remaining(account or self.shared)
        }

    def posted(self, account: Account | None = None) -> int:
        return Account.objects.get(pk=(account or self.shared).pk).posted

    def sweep(self) -> int:
        return lots.expire_due(self.calendar.at)
