"""Sweeps, schedules and charges at the same moment: credit is given once and ends once."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.db.models import Sum

from accounting.check import findings
from accounting.credit import alerts, grant_rules, grants, lots
from accounting.credit.alerts import add_rule
from accounting.credit.grant_rules import Plan, make_rule, run_rules
from accounting.credit.grants import give, issue_due
from accounting.models import Account, Alert, Grant, Lot, LotUse, Transfer, TransferKind
from common.clock import now
from common.errors import PaymentRequired
from people.models import Mail
from tests.accounting.purse import Calendar, Purse
from tests.accounting.test_bill_races import at_once, slowly

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 4


@pytest.fixture(autouse=True)
def now_is_now(calendar: Calendar, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the others time between what is read and what is written because of it."""
    calendar.at = now()
    monkeypatch.setattr(lots, "bring_up", slowly(lots.bring_up))
    monkeypatch.setattr(grants, "_claim", slowly(grants._claim))
    monkeypatch.setattr(grant_rules, "period_key", slowly(grant_rules.period_key))
    monkeypatch.setattr(alerts, "_fire", slowly(alerts._fire))


def spend(purse: Purse) -> str:
    """Hold and charge 10, if they are there."""
    try:
        purse.spend(10)
    except PaymentRequired:
        return "refused"
    return "spent"


def test_what_expires_while_it_is_spent_is_spent_or_ended(purse: Purse, calendar: Calendar) -> None:
    for _round in range(ROUNDS):
        purse.issue(100, days=1)
        calendar.days(2)
        at = calendar.at
        acts = [partial(lots.expire_due, at)] * 3 + [partial(spend, purse)] * 4
        found = at_once(acts)
        assert not [one for one in found if isinstance(one, Exception)]
        spent = 10 * found.count("spent")
        lots.expire_due(at)
        account = Account.objects.get(pk=purse.shared.pk)
        assert (account.posted, account.held) == (0, 0)
        latest = Lot.objects.order_by("-pk")[0]
        ended = LotUse.objects.filter(lot=latest, transfer__kind=TransferKind.EXPIRE)
        assert ended.aggregate(sum=Sum("amount"))["sum"] == 100 - spent
    assert findings() == []


def test_several_workers_give_each_grant_and_period_once(purse: Purse, calendar: Calendar) -> None:
    purse.issue(1000, days=30)
    call = {"actor": purse.admin, "account": purse.own, "source": purse.shared, "reason": "why"}
    for number in range(ROUNDS):
        starts_at = calendar.at + timedelta(seconds=1)
        give(key=str(number), amount=7, starts_at=starts_at, **call)
    make_rule(key="rule", plan=Plan(every="MONTH", amount=11), **call)
    calendar.at += timedelta(minutes=1)

    def work() -> None:
        run_rules(calendar.at)
        issue_due(calendar.at)

    found = at_once([work] * 4)
    assert not [one for one in found if isinstance(one, Exception)]
    issue_due(calendar.at)
    assert Grant.objects.filter(state="ISSUED", source=purse.shared).count() == ROUNDS + 1
    assert purse.posted(purse.own) == 7 * ROUNDS + 11
    assert list(purse.left(purse.own).values()) == [purse.posted(purse.own)]
    assert findings() == []


def test_the_same_request_twice_at_once_gives_once(purse: Purse) -> None:
    key = uuid.uuid4().hex
    call = {"actor": purse.operator, "account": purse.shared, "amount": 5, "reason": "why"}
    found = at_once([partial(give, key=key, **call)] * 4)  # type: ignore[arg-type]
    assert {one.pk for one in found} == {Grant.objects.get().pk}
    assert purse.posted() == Transfer.objects.get().amount == 5


def test_an_alert_fires_once_whoever_looks(purse: Purse, calendar: Calendar) -> None:
    purse.issue(10)
    add_rule(actor=purse.admin, account=purse.shared, amount=20)
    found = at_once([partial(alerts.watch, calendar.at)] * 4)
    assert sorted(found) == [0, 0, 0, 1]
    assert (Alert.objects.count(), Mail.objects.count()) == (1, 1)
