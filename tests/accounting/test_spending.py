"""Spending by member, service and month is what the entries say, however it is put together."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounting import ledger
from accounting.accounts import user_account
from accounting.models import Account, Entry, JobBill, Phase, Transfer, TransferKind
from accounting.statements.monthly import close_due
from accounting.statements.spending import Spent, figures
from people.models import Membership, User
from tests.accounting.scene import Scene
from tests.factories import give_credit, make_user

pytestmark = pytest.mark.django_db

JANUARY, MAY = date(2026, 1, 1), date(2026, 5, 1)


class History:
    """Months of charges and refunds, of two members, with and without a job."""

    def __init__(self, clock: Callable[[datetime], None]) -> None:
        self.clock, self.random = clock, random.Random(5)
        self.at = datetime(2026, 1, 2, tzinfo=UTC)
        clock(self.at)
        self.scene = Scene(credits=1000)
        other = make_user()
        Membership.objects.create(group=self.scene.group, user=other)
        self.members: list[User | None] = [self.scene.member, other, None]
        self.charges: list[tuple[Transfer, JobBill | None]] = []

    @property
    def account(self) -> Account:
        return self.scene.account

    def go_on(self, days: int, acts: int) -> None:
        step = timedelta(days=days) / acts
        for _n in range(acts):
            self.at += step
            self.clock(self.at)
            if self.charges and self.random.random() < 0.3:
                self._refund(*self.random.choice(self.charges))
            else:
                self._charge(self.random.choice(self.members))

    def close(self) -> None:
        close_due(self.at)

    def _charge(self, member: User | None) -> None:
        bill = self.scene.job(member=member) if member is not None else None
        more = {"phase": Phase.SINGLE, "member_id": None}
        amount = self.random.randint(100, 5000)
        if bill is not None:
            more = {"phase": Phase.POST, "pending": bill.hold, "reference": str(bill.pk)}
        charge = self._post(TransferKind.CHARGE, amount, **more)
        self.charges.append((charge, bill))

    def _refund(self, charge: Transfer, bill: JobBill | None) -> None:
        left = charge.amount - sum(row.amount for row in charge.refunds.all())
        if left:
            amount = self.random.randint(1, left)
            self._post(
                TransferKind.REFUND, amount, phase=Phase.SINGLE, reverses=charge,
                reference=charge.reference,
            )  # fmt: skip

    def _post(self, kind: TransferKind, amount: int, **more: object) -> Transfer:
        sides = [self.account, self.scene.provider_account]
        debit, credit = sides if kind == TransferKind.CHARGE else reversed(sides)
        booked, _new = ledger.post(
            id=uuid.uuid4(), kind=kind, debit=debit, credit=credit, amount=amount, **more
        )
        return booked

    def expected(self, member: int | None = None) -> list[Spent]:
        """Entry by entry: which statement has it, whose hold it was, what service that was for."""
        statements = list(self.account.monthly_statements.order_by("month"))
        bills = {str(charge.pk): bill for charge, bill in self.charges}
        sums: dict[tuple[date, int | None, int | None], list[int]] = defaultdict(lambda: [0, 0])
        for entry in Entry.objects.filter(account=self.account).select_related("transfer"):
            row = entry.transfer
            if row.kind not in (TransferKind.CHARGE, TransferKind.REFUND):
                continue
            within = (
                s.month for s in statements if s.first_version <= entry.version <= s.last_version
            )
            month = next(within, None)
            if month is None:
                month = row.created_at.date().replace(day=1)
                if statements and month <= statements[-1].month:
                    month = (statements[-1].month + timedelta(days=31)).replace(day=1)
            bill = bills[str(row.reverses_id or row.pk)]
            spender = bill.member_id if bill else None
            if member is not None and spender != member:
                continue
            found = sums[month, spender, bill.service_id if bill else None]
            found[0] -= entry.amount
            found[1] += entry.amount < 0
        return [Spent(*key, *values) for key, values in sums.items()]

    def shown(self, member: int | None = None) -> list[Spent]:
        return figures(self.account, first=JANUARY, last=MAY, member_id=member)


@pytest.fixture
def history(clock: Callable[[datetime], None]) -> History:
    cache.clear()
    return History(clock)


def same(one: list[Spent], other: list[Spent]) -> bool:
    return len(one) == len(other) and set(one) == set(other)


def test_stored_and_open_months_are_the_ledgers_sums(history: History) -> None:
    for _month in range(4):
        history.go_on(days=30, acts=25)
        assert same(history.shown(), history.expected())  # nothing new is closed: open, then kept
        history.close()
        for _cold_and_warm in range(2):
            assert same(history.shown(), history.expected())
    for member in history.members:
        if member is not None:
            assert same(history.shown(member.pk), history.expected(member.pk))
    assert {row.month.month for row in history.shown()} == {1, 2, 3, 4, 5}
    assert {row.service_id for row in history.shown()} >= {None}
    months = [row.month for row in history.shown()]
    assert months == sorted(months, reverse=True)


def test_what_comes_too_late_for_its_month_is_in_the_next_as_on_the_statements(
    history: History, clock: Callable[[datetime], None]
) -> None:
    history.go_on(days=35, acts=20)
    history.close()
    kept = history.shown()
    clock(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))  # a posting that was on its way
    history._charge(history.members[0])
    assert [row for row in history.shown() if row.month == JANUARY] == [
        row for row in kept if row.month == JANUARY
    ]
    assert same(history.shown(), history.expected())
    history.at = datetime(2026, 3, 1, tzinfo=UTC)
    history.close()
    cache.clear()
    assert same(history.shown(), history.expected())


def test_a_page_asks_as_often_with_few_charges_as_with_many(history: History) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            history.shown()
        return len(seen)

    history.go_on(days=100, acts=10)
    history.close()
    assert queries() == 3  # statements, what is not kept yet, what is open
    assert queries() == 2
    history.go_on(days=20, acts=60)
    assert queries() == 2
    cache.clear()
    assert queries() == 3


def test_another_ledger_has_other_figures(history: History) -> None:
    """What is kept is found by the seal: a database that was set back never shows other months."""
    history.go_on(days=40, acts=10)
    history.close()
    history.shown()
    seal = history.account.monthly_statements.get().seal
    assert seal is not None
    keys = [key for key in cache._cache if "spending" in key]  # type: ignore[attr-defined]
    assert len(keys) == 1
    assert seal.hash in keys[0]


def test_an_account_without_entries_and_one_that_only_receives(history: History) -> None:
    fresh = user_account(make_user())
    assert figures(fresh, first=JANUARY, last=MAY) == []
    give_credit(fresh, 3)
    history.at = datetime(2026, 4, 1, tzinfo=UTC)
    history.close()
    assert figures(fresh, first=JANUARY, last=MAY) == []
    assert figures(history.scene.provider_account, first=JANUARY, last=MAY) == []
