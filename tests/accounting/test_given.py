"""What a group may take back: what is left of its own, never the member's."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st

from accounting.accounts import group_account
from accounting.check import findings
from accounting.credit.transfers import given, grant_to_member, issue_credit, take_back
from accounting.models import Transfer
from common.errors import Conflict, InsufficientCredit
from people.models import Group
from tests.accounting.purse import Calendar, Purse
from tests.factories import CREDIT, make_group

pytestmark = pytest.mark.django_db

PROPERTY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def purse(monkeypatch: pytest.MonkeyPatch) -> Purse:
    return Purse(Calendar(monkeypatch))


def left(purse: Purse) -> int:
    return given(group=purse.group, member=purse.member)


def spend(purse: Purse, amount: int) -> Transfer:
    return purse.charge(purse.hold(amount, debit=purse.own), amount)


def test_what_was_spent_is_not_taken_from_the_members_own(purse: Purse) -> None:
    purse.issue(10 * CREDIT)
    purse.pass_on(CREDIT)
    spend(purse, 800_000)
    purse.issue(5 * CREDIT, to=purse.own)
    assert left(purse) == 200_000
    with pytest.raises(Conflict) as refusal:
        purse.pass_on(CREDIT, back=True)
    assert str(refusal.value.data["most"]) == "0.200000"
    purse.pass_on(200_000, back=True)
    assert (purse.posted(purse.own), purse.posted()) == (5 * CREDIT, 9_200_000)
    with pytest.raises(Conflict):
        purse.pass_on(1, back=True)
    assert findings() == []


def test_credit_that_expires_is_spent_first_whoever_gave_it(purse: Purse) -> None:
    purse.issue(10)
    purse.pass_on(10)
    purse.issue(5, days=3, to=purse.own)
    spend(purse, 5)
    assert left(purse) == 10
    spend(purse, 4)
    assert left(purse) == 6


def test_what_is_taken_from_the_members_expiring_credit_is_made_good(purse: Purse) -> None:
    purse.issue(10)
    purse.pass_on(10)
    purse.issue(5, days=3, to=purse.own)
    purse.pass_on(5, back=True)  # by the order of lots the member's own five went
    assert (left(purse), purse.posted(purse.own)) == (5, 10)
    purse.pass_on(5, back=True)
    assert (left(purse), purse.posted(purse.own)) == (0, 5)
    assert findings() == []


class Coins:
    """Every micro-credit is a coin with who gave it, in the order in which it is spent."""

    def __init__(self, purse: Purse) -> None:
        self.purse = purse
        self.groups = [purse.group, make_group(admin=purse.admin, members=(purse.member,))]
        for group in self.groups:
            purse.issue(1000, to=group_account(group))
        self.first: list[Group] = []
        self.coins: list[Group | None] = []
        self.charges: list[tuple[Transfer, list[Group | None]]] = []

    def give(self, amount: int, group: Group) -> None:
        grant_to_member(amount=amount, **self.call(group))
        self.first += [group] if group not in self.first else []
        self.coins += [group] * amount

    def issue(self, amount: int, _group: Group) -> None:
        self.purse.issue(amount, to=self.purse.own)
        self.coins += [None] * amount

    def spend(self, amount: int, _group: Group) -> None:
        if len(self.coins) >= amount:
            self.coins.sort(key=[*self.first, None].index)
            gone, self.coins = self.coins[:amount], self.coins[amount:]
            self.charges.append((spend(self.purse, amount), gone))

    def refund(self, amount: int, _group: Group) -> None:
        charge, taken = self.charges[amount % len(self.charges)] if self.charges else (None, [])
        if charge is not None and (back := taken[-amount:]):
            self.purse.refund(charge, len(back))
            del taken[-amount:]
            self.coins += back

    def take(self, amount: int, group: Group) -> None:
        if self.coins.count(group) < amount:
            with pytest.raises(Conflict):
                take_back(amount=amount, **self.call(group))
            return
        take_back(amount=amount, **self.call(group))
        for _coin in range(amount):
            self.coins.remove(group)

    def call(self, group: Group) -> dict[str, Any]:
        who = {"actor": self.purse.admin, "group": group, "member": self.purse.member}
        return {**who, "reason": "r", "key": uuid.uuid4().hex}


@PROPERTY
@examples(
    st.lists(
        st.tuples(
            st.sampled_from(("give", "give", "issue", "spend", "spend", "refund", "take")),
            st.integers(1, 9),
            st.integers(0, 1),
        ),
        max_size=25,
    )
)
def test_whatever_happens_each_group_has_left_what_its_coins_say(
    purse: Purse, steps: list[tuple[str, int, int]]
) -> None:
    with transaction.atomic():
        coins = Coins(purse)
        for act, amount, which in steps:
            getattr(coins, act)(amount, coins.groups[which])
            for group in coins.groups:
                assert given(group=group, member=purse.member) == coins.coins.count(group)
            assert purse.posted(purse.own) == len(coins.coins)
        transaction.set_rollback(True)


class Days:
    """Steps on credit that expires, and what must hold of each."""

    def __init__(self, purse: Purse) -> None:
        self.purse = purse

    def fund(self, amount: int, lasts: int | None) -> None:
        before = left(self.purse)
        self.purse.issue(amount, lasts)
        assert left(self.purse) == before

    def give(self, amount: int, _lasts: int | None) -> None:
        before = left(self.purse)
        if self.purse.posted() >= amount:
            self.purse.pass_on(amount)
            assert left(self.purse) == before + amount

    def issue(self, amount: int, lasts: int | None) -> None:
        before = left(self.purse)
        self.purse.issue(amount, lasts, to=self.purse.own)
        assert left(self.purse) == before

    def spend(self, amount: int, _lasts: int | None) -> None:
        before = left(self.purse)
        if self.purse.posted(self.purse.own) >= amount:
            charge = spend(self.purse, amount)
            assert before - amount <= left(self.purse) <= before
            self.purse.refund(charge, amount)
            assert left(self.purse) == before
            spend(self.purse, amount)

    def take(self, _amount: int, _lasts: int | None) -> None:
        before, balance = left(self.purse), self.purse.posted(self.purse.own)
        with pytest.raises(Conflict):
            self.purse.pass_on(before + 1, back=True)
        if before:
            self.purse.pass_on(before, back=True)
        assert left(self.purse) == 0
        assert self.purse.posted(self.purse.own) == balance - before

    def sweep(self, _amount: int, _lasts: int | None) -> None:
        before = left(self.purse)
        self.purse.sweep()
        assert left(self.purse) <= before


@PROPERTY
@examples(
    st.lists(
        st.tuples(
            st.sampled_from(("fund", "give", "issue", "spend", "take", "sweep")),
            st.integers(1, 9),
            st.sampled_from((None, 1, 3, 6)),
            st.integers(0, 2),
        ),
        max_size=25,
    )
)
def test_also_with_expiry_a_group_never_takes_what_is_the_members(
    purse: Purse, steps: list[tuple[str, int, int | None, int]]
) -> None:
    with transaction.atomic():
        begin = purse.calendar.at
        for act, amount, lasts, days in steps:
            purse.calendar.days(days)
            getattr(Days(purse), act)(amount, lasts)
            assert 0 <= left(purse) <= purse.posted(purse.own)
        purse.calendar.at = begin
        transaction.set_rollback(True)


def test_what_is_held_stays(purse: Purse) -> None:
    purse.issue(10)
    purse.pass_on(10)
    purse.hold(8, debit=purse.own)
    with pytest.raises(InsufficientCredit):
        purse.pass_on(3, back=True)
    issue_credit(actor=purse.operator, account=purse.own, amount=5, reason="r", key="k")
    purse.pass_on(3, back=True)
    assert left(purse) == 7
