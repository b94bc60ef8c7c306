"""Credit that comes again each period: once per period, late or twice, and until it ends."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from accounting.accounts import set_status
from accounting.check import findings
from accounting.credit.alerts import add_rule
from accounting.credit.grant_rules import Plan, change_rule, make_rule, run_rules
from accounting.credit.grants import issue_due
from accounting.credit.periods import start_of
from accounting.models import AccountChange, Alert, Grant, GrantRule, GrantState, Period
from common.errors import Conflict, Forbidden, InvalidInput
from jobs import periodic
from jobs.models import Due
from tests.accounting.purse import BEGIN, DAY, Calendar, Purse

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules_follow(calendar: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounting.credit.grant_rules.now", lambda: calendar.at)


def run(calendar: Calendar) -> int:
    """What the sweep does."""
    run_rules(calendar.at)
    return issue_due(calendar.at)


def rule(purse: Purse, every: str, **plan: object) -> GrantRule:
    return make_rule(
        actor=purse.operator,
        account=purse.shared,
        plan=Plan(every=every, amount=10, **plan),  # type: ignore[arg-type]
        reason="why",
        key=uuid.uuid4().hex,
    )


def test_each_period_is_given_once_late_or_twice_and_not_made_up_for(
    purse: Purse, calendar: Calendar
) -> None:
    rule(purse, Period.MONTH, starts_at=BEGIN + 9 * DAY, lifetime_days=30)
    assert run(calendar) == 0
    calendar.days(9.5)
    assert [run(calendar), run(calendar)] == [1, 0]
    calendar.at = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    assert run(calendar) == 0
    calendar.at = datetime(2026, 4, 20, tzinfo=UTC)
    assert [run(calendar), run(calendar)] == [1, 0]
    calendar.at = datetime(2026, 8, 2, tzinfo=UTC)  # nothing ran for three months
    assert [run(calendar), run(calendar)] == [1, 0]
    given = Grant.objects.order_by("starts_at").values_list("starts_at", "expires_at")
    starts = [
        BEGIN + 9 * DAY,
        datetime(2026, 4, 1, tzinfo=UTC),
        datetime(2026, 8, 1, tzinfo=UTC),
    ]
    assert list(given) == [(start, start + 30 * DAY) for start in starts]
    assert purse.posted() == 30


@pytest.mark.parametrize(
    ("every", "at", "start"),
    [
        ("MONTH", "2028-02-29T23:59:59.999999+00:00", "2028-02-01"),
        ("MONTH", "2027-03-01T00:30:00+01:00", "2027-02-01"),
        ("MONTH", "2026-12-31T23:00:00-02:00", "2027-01-01"),
        ("QUARTER", "2028-02-29T12:00:00+00:00", "2028-01-01"),
        ("QUARTER", "2026-12-31T23:59:59+00:00", "2026-10-01"),
        ("YEAR", "2028-12-31T23:59:59+00:00", "2028-01-01"),
        ("WEEK", "2028-02-29T00:00:00+00:00", "2028-02-28"),
        ("WEEK", "2027-01-03T23:59:59+00:00", "2026-12-28"),
    ],
)
def test_periods_are_of_the_calendar_in_utc(every: str, at: str, start: str) -> None:
    begun = start_of(every, datetime.fromisoformat(at))
    assert begun == datetime.fromisoformat(f"{start}T00:00:00+00:00")
    assert start_of(every, begun) == begun
    assert start_of(every, begun - timedelta(microseconds=1)) < begun


def test_a_rule_rests_goes_on_and_ends(purse: Purse, calendar: Calendar) -> None:
    monthly = rule(purse, Period.MONTH)
    call = {"actor": purse.operator, "rule": monthly, "reason": "budget"}
    with pytest.raises(Forbidden):
        change_rule(**{**call, "actor": purse.admin}, action="pause")
    run_rules(calendar.at)
    change_rule(action="pause", **call)
    assert (run(calendar), purse.posted()) == (0, 0)
    change_rule(action="resume", **call)
    assert [run(calendar), run(calendar)] == [1, 0]
    change_rule(action="pause", **call)
    change_rule(action="resume", **call)
    assert run(calendar) == 0  # this month was given
    change_rule(action="end", **call)
    with pytest.raises(Conflict):
        change_rule(action="resume", **call)
    calendar.days(31)
    assert (run(calendar), purse.posted()) == (0, 10)
    kept = AccountChange.objects.filter(what="grant_rule", account=purse.shared)
    assert [change.after["action"] for change in kept][::-1] == [
        "pause", "resume", "pause", "resume", "end",
    ]  # fmt: skip
    assert {(change.actor, change.reason) for change in kept} == {
        (f"user:{purse.operator.pk}", "budget")
    }


def test_a_rule_stops_at_its_end_and_one_request_makes_one_rule(
    purse: Purse, calendar: Calendar
) -> None:
    call = {
        "actor": purse.operator,
        "account": purse.shared,
        "plan": Plan(every="WEEK", amount=10, ends_at=BEGIN + DAY, starts_at=BEGIN),
        "reason": "why",
        "key": "one",
    }
    assert make_rule(**call) == make_rule(**call)
    for other in (
        {"amount": 11, "starts_at": BEGIN},
        {"amount": 10, "starts_at": BEGIN + DAY / 2},
    ):
        with pytest.raises(Conflict):
            make_rule(**{**call, "plan": Plan(every="WEEK", ends_at=BEGIN + DAY, **other)})
    at_once = {**call, "key": "at once", "plan": Plan(every="WEEK", amount=10)}
    rule = make_rule(**at_once)
    calendar.days(0.25)
    assert make_rule(**at_once) == rule
    rule.delete()
    assert GrantRule.objects.count() == 1
    for wrong in (
        Plan(every="DAY", amount=1),
        Plan(every="WEEK", amount=0),
        Plan(every="WEEK", amount=1, lifetime_days=0),
    ):
        with pytest.raises(InvalidInput):
            make_rule(**{**call, "plan": wrong, "key": "two"})
    with pytest.raises(InvalidInput) as refusal:
        make_rule(**{**call, "plan": Plan(every="WEEK", amount=1, ends_at=BEGIN), "key": "two"})
    assert refusal.value.locator == "ends_at"
    calendar.days(1)
    assert run(calendar) == 0
    assert purse.posted() == 0


def test_a_group_gives_to_a_member_each_week_and_a_frozen_group_does_not(
    purse: Purse, calendar: Calendar
) -> None:
    purse.issue(100, days=60)
    make_rule(
        actor=purse.admin,
        account=purse.own,
        source=purse.shared,
        plan=Plan(every="WEEK", amount=10, lifetime_days=7),
        reason="practical course",
        key="k",
    )
    assert run(calendar) == 1
    freeze = {"actor": purse.admin, "account": purse.shared, "reason": "inventory"}
    set_status(status="FROZEN", **freeze)
    calendar.days(7)
    assert run(calendar) == 0
    assert "frozen" in Grant.objects.get(state=GrantState.SCHEDULED).note
    set_status(status="OPEN", **freeze)
    assert run(calendar) == 1
    assert (purse.posted(), purse.posted(purse.own)) == (80, 20)
    assert findings() == []


def test_the_sweep_gives_ends_and_tells(
    purse: Purse, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when something before them fails."""
    monkeypatch.setattr("jobs.periodic.now", lambda: calendar.at)
    chores = (lambda _at: 1 / 0, *periodic.CHORES)
    monkeypatch.setattr(periodic, "CHORES", chores)
    rule(purse, Period.MONTH, lifetime_days=1)
    add_rule(actor=purse.admin, account=purse.shared, amount=5)
    row = Due(kind="sweep", subject="all")
    periodic.sweep(row)
    assert (purse.posted(), Alert.objects.count()) == (10, 0)
    calendar.days(0.99)
    periodic.sweep(row)
    assert (purse.posted(), Alert.objects.count()) == (10, 0)
    calendar.days(0.01)
    periodic.sweep(row)
    assert (purse.posted(), Alert.objects.count()) == (0, 1)
