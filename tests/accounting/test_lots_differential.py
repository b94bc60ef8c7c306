"""Lots against coins with a date: whatever happens, the same is left and expires."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import given as examples
from hypothesis import strategies as st

from accounting.check import findings
from accounting.models import (
    Account,
    Transfer,
)
from common.errors import Conflict, InsufficientCredit
from tests.accounting.purse import BEGIN, DAY, Calendar, Purse

pytestmark = pytest.mark.django_db


NEVER = float("inf")


class Coins:
    """Every micro-credit is a coin with its expiry: what the lots must come to."""

    def __init__(self) -> None:
        self.coins: list[float] = []
        self.held = 0

    def take(self, amount: int, active_at: float) -> list[float]:
        active = sorted(coin for coin in self.coins if coin > active_at)
        order = active + sorted(coin for coin in self.coins if coin <= active_at)
        taken = sorted(order[:amount])
        for coin in taken:
            self.coins.remove(coin)
        return taken

    def expire(self, at: float) -> None:
        for coin in sorted(coin for coin in self.coins if coin <= at):
            if len(self.coins) > self.held:
                self.coins.remove(coin)

    def left(self) -> dict[float, int]:
        return dict(Counter(coin for coin in self.coins if coin != NEVER))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ("issue", "hold", "hold", "charge", "charge", "release", "refund", "give", "take")
        ),
        st.integers(1, 9),
        st.sampled_from((0, 0, 1, 2, 5)),  # days that pass before
        st.sampled_from((None, 2, 4, 8)),  # days that a grant lasts
        st.booleans(),  # whether the sweep runs afterwards
    ),
    max_size=25,
)


class Play:
    """The same steps on the portal and on coins."""

    def __init__(self, purse: Purse) -> None:
        self.purse = purse
        self.coins = {purse.shared.pk: Coins(), purse.own.pk: Coins()}
        self.holds: list[tuple[Transfer, float]] = []
        self.charges: list[tuple[Transfer, list[float]]] = []

    @property
    def day(self) -> float:
        return (self.purse.calendar.at - BEGIN) / DAY

    def issue(self, amount: int, lasts: int | None) -> None:
        self.purse.issue(amount, lasts)
        end = NEVER if lasts is None else self.day + lasts
        self.coins[self.purse.shared.pk].coins += [end] * amount

    def hold(self, amount: int, lasts: int | None) -> None:
        account = self.purse.own if lasts is None else self.purse.shared
        try:
            hold = self.purse.hold(amount, debit=account)
        except InsufficientCredit:
            return
        self.coins[account.pk].held += amount
        self.holds.append((hold, self.day))

    def charge(self, amount: int, lasts: int | None) -> None:
        if self.holds:
            hold, held_on = self.holds.pop()
            charge = self.purse.charge(hold, min(amount, hold.amount))
            coins = self.coins[hold.debit_id]
            coins.held -= hold.amount
            self.charges.append((charge, coins.take(charge.amount, held_on)))

    def release(self, amount: int, lasts: int | None) -> None:
        if self.holds:
            hold, _day = self.holds.pop(0)
            self.purse.release(hold)
            self.coins[hold.debit_id].held -= hold.amount

    def refund(self, amount: int, lasts: int | None) -> None:
        if self.charges:
            charge, taken = self.charges[amount % len(self.charges)]
            if taken:
                self.purse.refund(charge, amount := min(amount, len(taken)))
                self.coins[charge.debit_id].coins += taken[-amount:]
                del taken[-amount:]

    def give(self, amount: int, lasts: int | None) -> None:
        self._pass(amount, self.purse.shared, self.purse.own, back=False)

    def take(self, amount: int, lasts: int | None) -> None:
        self._pass(amount, self.purse.own, self.purse.shared, back=True)

    def _pass(self, amount: int, giver: Account, taker: Account, *, back: bool) -> None:
        try:
            self.purse.pass_on(amount, back=back)
        except (InsufficientCredit, Conflict):
            return
        self.coins[taker.pk].coins += self.coins[giver.pk].take(amount, self.day)

    def sweep(self) -> None:
        self.purse.sweep()
        for coins in self.coins.values():
            coins.expire(self.day)

    def agree(self) -> None:
        for account in (self.purse.shared, self.purse.own):
            coins = self.coins[account.pk]
            assert self.purse.left(account) == coins.left()
            assert self.purse.posted(account) == len(coins.coins)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@examples(steps=STEPS)
def test_lots_are_what_coins_with_a_date_would_be(calendar: Calendar, steps: list) -> None:
    calendar.at = BEGIN
    with transaction.atomic():
        play = Play(Purse(calendar))
        for step, amount, days, lasts, sweeps in steps:
            calendar.days(days)
            getattr(play, step)(amount, lasts)
            if sweeps:
                play.sweep()
        play.agree()
        assert findings() == []
        transaction.set_rollback(True)
