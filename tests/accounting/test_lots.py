"""Credit that expires: the earliest first, what is held stays, refunds go back where they were."""

from __future__ import annotations

import pytest

from accounting.accounts import (
    set_credit_limit,
    set_status,
    system_account,
)
from accounting.check import findings
from accounting.credit.grants import give
from accounting.models import (
    AccountStatus,
    Transfer,
    TransferKind,
)
from common.errors import Conflict
from tests.accounting.purse import BEGIN, DAY, Calendar, Purse

pytestmark = pytest.mark.django_db


def test_the_earliest_expiry_is_spent_first_and_the_rest_expires_once(
    purse: Purse, calendar: Calendar
) -> None:
    purse.issue(50)
    purse.issue(30, days=20)
    purse.issue(20, days=10)
    purse.spend(25)
    assert purse.left() == {20: 25}
    assert purse.sweep() == 0
    calendar.days(20)
    assert [purse.sweep(), purse.sweep()] == [1, 0]
    assert (purse.posted(), purse.left()) == (50, {})
    ended = Transfer.objects.get(kind=TransferKind.EXPIRE)
    assert (ended.amount, ended.credit) == (25, system_account("expired"))
    assert ended.effective_at == BEGIN + 20 * DAY
    assert findings() == []


def test_what_is_held_stays_for_its_job_and_expires_when_it_is_released(
    purse: Purse, calendar: Calendar
) -> None:
    purse.issue(50, days=10)
    kept, freed = purse.hold(20), purse.hold(10)
    calendar.days(11)
    assert purse.sweep() == 1
    assert (purse.posted(), purse.left()) == (30, {10: 30})
    assert purse.sweep() == 0
    purse.charge(kept, 15)
    assert purse.sweep() == 1  # the 5 that the job did not need
    assert (purse.posted(), purse.left()) == (10, {10: 10})
    purse.release(freed)
    assert [purse.sweep(), purse.sweep()] == [1, 0]
    assert (purse.posted(), purse.left()) == (0, {})
    numbers = Transfer.objects.filter(kind=TransferKind.EXPIRE).values_list("amount", flat=True)
    assert sorted(numbers) == [5, 10, 20]
    assert findings() == []


def test_a_refund_gives_back_what_was_taken_last(purse: Purse, calendar: Calendar) -> None:
    purse.issue(10, days=10)
    purse.issue(10, days=20)
    purse.issue(10)
    charge = purse.spend(25)  # all of both lots and 5 others
    assert purse.left() == {}
    purse.refund(charge, 8)
    assert purse.left() == {20: 3}
    purse.refund(charge, 10)
    assert purse.left() == {10: 3, 20: 10}
    calendar.days(15)
    purse.refund(charge, 7)
    assert purse.left() == {10: 10, 20: 10}
    purse.sweep()
    assert (purse.posted(), purse.left()) == (20, {20: 10})


def test_credit_that_is_passed_on_keeps_its_expiry_in_both_directions(
    purse: Purse, calendar: Calendar
) -> None:
    purse.issue(10, days=10)
    purse.issue(10)
    purse.pass_on(15)
    assert (purse.left(), purse.left(purse.own)) == ({}, {10: 10})
    purse.pass_on(4, back=True)
    assert (purse.left(), purse.left(purse.own)) == ({10: 4}, {10: 6})
    calendar.days(10)
    assert purse.sweep() == 2
    assert (purse.posted(), purse.posted(purse.own)) == (5, 5)
    assert findings() == []


def test_a_group_gives_with_an_expiry_of_its_own(purse: Purse) -> None:
    purse.issue(10, days=10)
    purse.issue(10)
    for number, days in enumerate((20, 5)):
        give(
            actor=purse.admin,
            account=purse.own,
            source=purse.shared,
            amount=8,
            reason="field work",
            key=str(number),
            expires_at=BEGIN + days * DAY,
        )
    # 8 of the group's 10 that end on day 10; then 2 of those and 6 others, that end on day 5.
    assert purse.left(purse.own) == {5: 8, 10: 8}
    assert purse.left() == {}


def test_a_group_does_not_take_back_what_expired_from_the_members_own(
    purse: Purse, calendar: Calendar
) -> None:
    purse.issue(100)
    give(
        actor=purse.admin,
        account=purse.own,
        source=purse.shared,
        amount=60,
        reason="a trap",
        key="k",
        expires_at=BEGIN + DAY,
    )
    purse.issue(50, to=purse.own)
    purse.pass_on(20, back=True)
    calendar.days(2)
    purse.sweep()
    with pytest.raises(Conflict):
        purse.pass_on(1, back=True)
    assert purse.posted(purse.own) == 50
    assert findings() == []


def test_nothing_expires_below_zero_and_debts_are_paid_first(
    purse: Purse, calendar: Calendar
) -> None:
    set_credit_limit(actor=purse.operator, account=purse.shared, limit=100, reason="trust")
    purse.issue(10, days=10)
    purse.spend(40)
    assert (purse.posted(), purse.left()) == (-30, {})
    purse.issue(50, days=10)
    assert purse.left() == {10: 20}
    hold = purse.hold(100)
    calendar.days(11)
    assert purse.sweep() == 0  # all of it is under the hold, whatever the limit
    purse.release(hold)
    assert purse.sweep() == 1
    assert purse.posted() == 0


def test_a_frozen_account_keeps_its_credit_until_it_is_opened(
    purse: Purse, calendar: Calendar
) -> None:
    purse.issue(10, days=10)
    rule = {"actor": purse.operator, "account": purse.shared, "reason": "audit"}
    set_status(status=AccountStatus.FROZEN, **rule)
    calendar.days(11)
    assert purse.sweep() == 0
    set_status(status=AccountStatus.OPEN, **rule)
    assert purse.sweep() == 1


def test_what_was_spent_before_the_sweep_is_not_taken_again(
    purse: Purse, calendar: Calendar
) -> None:
    """Between its expiry and the sweep credit can still be spent; later credit does not pay it."""
    purse.issue(10, days=10)
    calendar.days(10)
    purse.spend(10)
    purse.issue(10)
    assert purse.sweep() == 0
    assert purse.posted() == 10
