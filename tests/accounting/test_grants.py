"""Credit given now, later, and for a time: once, whatever happens meanwhile."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from accounting.accounts import user_account
from accounting.check import findings
from accounting.credit.grant_rules import run_rules
from accounting.credit.grants import cancel, give, issue_due
from accounting.models import Grant, GrantState, Transfer
from common.errors import Conflict, Forbidden, InsufficientCredit, InvalidInput
from people.models import Membership
from tests.accounting.purse import BEGIN, DAY, Calendar, Purse
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules_follow(calendar: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounting.credit.grant_rules.now", lambda: calendar.at)


def grant(purse: Purse, **change: object) -> Grant:
    call = {"actor": purse.operator, "account": purse.shared, "amount": 10, "reason": "why"}
    return give(**{"key": uuid.uuid4().hex, **call, **change})  # type: ignore[arg-type]


def run(calendar: Calendar) -> int:
    """What the sweep does."""
    run_rules(calendar.at)
    return issue_due(calendar.at)


def test_a_grant_is_booked_when_it_starts_and_once(purse: Purse, calendar: Calendar) -> None:
    call = {"starts_at": BEGIN + 5 * DAY, "expires_at": BEGIN + 9 * DAY, "key": "one"}
    later = grant(purse, **call)
    assert grant(purse, **call) == later
    with pytest.raises(Conflict):
        grant(purse, **{**call, "amount": 11})
    with pytest.raises(Conflict):
        grant(purse, **{**call, "starts_at": BEGIN + 6 * DAY})
    assert (later.state, purse.posted(), run(calendar)) == (GrantState.SCHEDULED, 0, 0)
    calendar.days(6)
    assert [run(calendar), run(calendar)] == [1, 0]
    later.refresh_from_db()
    assert later.state == GrantState.ISSUED
    assert later.transfer is not None
    assert later.transfer.effective_at == BEGIN + 5 * DAY
    assert (purse.posted(), purse.left()) == (10, {9: 10})
    now = grant(purse, key="two")
    assert grant(purse, key="two") == now
    assert (purse.posted(), Transfer.objects.count()) == (20, 2)
    assert findings() == []


@pytest.mark.parametrize(
    ("locator", "change"),
    [
        ("expires_at", {"expires_at": BEGIN}),
        ("expires_at", {"starts_at": BEGIN + 2 * DAY, "expires_at": BEGIN + DAY}),
        ("expires_at", {"expires_at": datetime(2999, 1, 1, tzinfo=UTC)}),
        ("starts_at", {"starts_at": datetime(2999, 1, 1, tzinfo=UTC)}),
        ("amount", {"amount": 0}),
        ("amount", {"amount": 10**30}),
        ("reason", {"reason": " "}),
        ("key", {"key": ""}),
        ("key", {"key": "x" * 101}),
        ("key", {"key": "\0"}),
    ],
)
def test_a_wrong_grant_names_what_is_wrong(purse: Purse, locator: str, change: dict) -> None:
    with pytest.raises(InvalidInput) as refusal:
        grant(purse, **change)
    assert refusal.value.locator == locator
    assert not Grant.objects.exists()


def test_who_may_give_to_whom(purse: Purse) -> None:
    purse.issue(100)
    stranger = make_user()
    for actor in (purse.admin, purse.member, stranger):
        with pytest.raises(Forbidden):
            grant(purse, actor=actor)
    within = {"source": purse.shared, "account": purse.own}
    for actor in (purse.member, stranger):
        with pytest.raises(Forbidden):
            grant(purse, actor=actor, **within)
    for wrong in (
        {"account": user_account(stranger), "source": purse.shared},
        {"account": purse.shared, "source": purse.shared},
        {"account": purse.shared, "source": purse.own},
        {"account": purse.provider, "source": purse.shared},
    ):
        with pytest.raises(InvalidInput):
            grant(purse, actor=purse.admin, **wrong)
    for actor in (purse.admin, purse.operator):
        assert grant(purse, actor=actor, **within).state == GrantState.ISSUED
    with pytest.raises(InsufficientCredit):
        grant(purse, actor=purse.admin, amount=1000, **within)
    assert purse.posted(purse.own) == 20
    assert Grant.objects.count() == 3


def test_what_the_group_cannot_pay_is_tried_again_then_given_up(
    purse: Purse, calendar: Calendar
) -> None:
    call = {"actor": purse.admin, "source": purse.shared, "account": purse.own}
    grants = [grant(purse, starts_at=BEGIN + DAY, **call) for _each in range(2)]
    calendar.days(1)
    assert run(calendar) == 0
    told = Grant.objects.get(pk=grants[0].pk)
    assert told.state == GrantState.SCHEDULED
    assert "does not cover" in told.note
    purse.issue(10)
    calendar.days(1)
    assert run(calendar) == 1
    calendar.days(7)
    assert run(calendar) == 0
    states = Grant.objects.filter(source=purse.shared).values_list("state", flat=True)
    assert sorted(states) == [GrantState.ISSUED, GrantState.REFUSED]
    purse.issue(10)
    assert run(calendar) == 0
    assert (purse.posted(), purse.posted(purse.own)) == (10, 10)


def test_a_grant_that_nobody_can_have_any_more_is_refused(purse: Purse, calendar: Calendar) -> None:
    purse.issue(100)
    dead = grant(purse, starts_at=BEGIN + DAY, expires_at=BEGIN + 2 * DAY)
    left = grant(
        purse, starts_at=BEGIN + DAY, source=purse.shared, account=purse.own, actor=purse.admin
    )
    Membership.objects.filter(user=purse.member).delete()
    calendar.days(2)
    assert run(calendar) == 0
    for refused in (dead, left):
        refused.refresh_from_db()
        assert (refused.state, bool(refused.note)) == (GrantState.REFUSED, True)
    assert purse.posted() == 100


def test_a_scheduled_grant_can_be_cancelled(purse: Purse, calendar: Calendar) -> None:
    later = grant(purse, starts_at=BEGIN + DAY)
    with pytest.raises(Forbidden):
        cancel(actor=purse.admin, grant=later)
    assert cancel(actor=purse.operator, grant=later).state == GrantState.CANCELLED
    calendar.days(2)
    assert (run(calendar), purse.posted()) == (0, 0)
    booked = grant(purse)
    with pytest.raises(Conflict):
        cancel(actor=purse.operator, grant=booked)
