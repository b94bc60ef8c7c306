"""Alerts on low credit; freezing, limits and policies, with who changed what and why."""

from __future__ import annotations

import re

import pytest
from django.db import DatabaseError, transaction

from accounting.accounts import set_credit_limit, set_overrun_policy, set_status
from accounting.credit.alerts import add_rule, remove_rule, watch
from accounting.models import Account, AccountChange, Alert, AlertRule
from common.errors import Conflict, Forbidden, InvalidInput
from people.models import Mail, Membership, Role
from tests.accounting.purse import Calendar, Purse
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def told() -> list[tuple[int, str]]:
    """Who was mailed and the amounts in it, in order."""
    mails = Mail.objects.order_by("pk")
    return [
        (mail.user_id, " ".join(re.findall(r"\d+\.\d+", f"{mail.subject} {mail.body}")))
        for mail in mails
    ]


def test_an_alert_fires_once_and_again_after_it_was_above(purse: Purse, calendar: Calendar) -> None:
    purse.issue(100_000_000)
    second = make_user()
    Membership.objects.create(group=purse.group, user=second, role=Role.ADMIN)
    add_rule(actor=purse.admin, account=purse.shared, amount=40_000_000)
    assert (watch(calendar.at), Alert.objects.count()) == (0, 0)
    hold = purse.hold(60_000_001)
    assert [watch(calendar.at), watch(calendar.at)] == [1, 0]
    assert sorted(told()) == [(pk, "39.999999 40.00") for pk in sorted((purse.admin.pk, second.pk))]
    alert = Alert.objects.get()
    assert (alert.available, alert.threshold) == (39_999_999, 40_000_000)
    purse.release(hold)
    assert watch(calendar.at) == 0
    purse.spend(70_000_000)
    assert [watch(calendar.at), watch(calendar.at)] == [1, 0]
    assert len(told()) == 4


def test_a_percentage_is_of_what_the_latest_credit_made_available(
    purse: Purse, calendar: Calendar
) -> None:
    add_rule(actor=purse.member, account=purse.own, percent=20)
    assert watch(calendar.at) == 0  # nothing ever came in
    purse.issue(100_000_000)
    purse.pass_on(50_000_000)
    charge = purse.charge(purse.hold(41_000_000, debit=purse.own), 41_000_000)
    assert [watch(calendar.at), watch(calendar.at)] == [1, 0]
    assert told() == [(purse.member.pk, "9.00 10.00")]
    purse.refund(charge, 1_000_000)  # 10 are there again; a refund is no new credit
    assert watch(calendar.at) == 0
    purse.hold(1, debit=purse.own)
    assert watch(calendar.at) == 1
    calendar.days(1)
    purse.pass_on(90_000_000 - 50_000_000)  # 50 now: 10 is the threshold again
    assert watch(calendar.at) == 0
    purse.hold(40_000_000, debit=purse.own)
    assert watch(calendar.at) == 1


def test_alerts_are_watched_in_a_few_questions(
    purse: Purse, calendar: Calendar, django_assert_max_num_queries: object
) -> None:
    purse.issue(100)
    for percent in (10, 20, 30, 40):
        add_rule(actor=purse.admin, account=purse.shared, percent=percent)
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        assert watch(calendar.at) == 0


def test_who_may_have_alerts_and_which(purse: Purse) -> None:
    call = {"account": purse.shared, "percent": 10}
    for actor in (purse.member, make_user()):
        with pytest.raises(Forbidden):
            add_rule(actor=actor, **call)
    with pytest.raises(Forbidden):
        add_rule(actor=purse.admin, account=purse.own, percent=10)
    rule = add_rule(actor=purse.admin, **call)
    with pytest.raises(Conflict):
        add_rule(actor=purse.admin, **call)
    for wrong in (
        {},
        {"amount": 1, "percent": 1},
        {"amount": 0},
        {"amount": 2**70},
        {"percent": 0},
        {"percent": 101},
    ):
        with pytest.raises(InvalidInput):
            add_rule(actor=purse.admin, account=purse.shared, **wrong)
    with pytest.raises(InvalidInput):
        add_rule(actor=purse.operator, account=purse.provider, percent=1)
    for percent in (20, 30, 40, 50):
        add_rule(actor=purse.operator, account=purse.shared, percent=percent)
    with pytest.raises(Conflict):
        add_rule(actor=purse.admin, account=purse.shared, percent=60)
    with pytest.raises(Forbidden):
        remove_rule(actor=purse.member, rule=rule)
    remove_rule(actor=purse.admin, rule=rule)
    assert AlertRule.objects.count() == 4


# --- rules of an account ------------------------------------------------------------------------


def status(purse: Purse) -> str:
    return Account.objects.get(pk=purse.shared.pk).status


def test_what_an_operator_froze_only_an_operator_opens(purse: Purse) -> None:
    def turn(actor: object, status: str, reason: str = "audit") -> None:
        set_status(actor=actor, account=purse.shared, status=status, reason=reason)  # type: ignore[arg-type]

    for actor in (purse.member, make_user()):
        with pytest.raises(Forbidden):
            turn(actor, "FROZEN")
    turn(purse.admin, "FROZEN")
    turn(purse.admin, "OPEN")
    turn(purse.operator, "FROZEN", "unpaid bill")
    for wanted in ("OPEN", "FROZEN", "CLOSED"):
        with pytest.raises(Forbidden):
            turn(purse.admin, wanted)
    assert status(purse) == "FROZEN"
    turn(purse.operator, "OPEN")
    with pytest.raises(Forbidden):
        turn(purse.admin, "CLOSED")
    for wrong in ({"status": "MELTED"}, {"status": "FROZEN", "reason": " "}):
        with pytest.raises(InvalidInput):
            turn(purse.admin, **wrong)
    assert status(purse) == "OPEN"
    kept = AccountChange.objects.filter(account=purse.shared).order_by("pk")
    assert [(change.actor, change.before, change.after, change.reason) for change in kept][2] == (
        f"user:{purse.operator.pk}",
        "OPEN",
        {"status": "FROZEN", "by": "operator"},
        "unpaid bill",
    )
    assert len(kept) == 4


def test_policies_and_limits_are_set_by_whom_they_are_for(purse: Purse) -> None:
    def choose(actor: object, account: Account, policy: str) -> str:
        return set_overrun_policy(
            actor=actor,
            account=account,
            policy=policy,
            reason="why",  # type: ignore[arg-type]
        ).overrun_policy

    assert choose(purse.admin, purse.shared, "UP_TO_BALANCE") == "UP_TO_BALANCE"
    assert choose(purse.member, purse.own, "UP_TO_BALANCE") == "UP_TO_BALANCE"
    for actor, account, policy in (
        (purse.admin, purse.shared, "DEBT"),
        (purse.member, purse.own, "DEBT"),
        (purse.member, purse.shared, "CAP_AT_HOLD"),
        (purse.admin, purse.own, "CAP_AT_HOLD"),
    ):
        with pytest.raises(Forbidden):
            choose(actor, account, policy)
    assert choose(purse.operator, purse.shared, "DEBT") == "DEBT"
    with pytest.raises(Forbidden):
        set_credit_limit(actor=purse.admin, account=purse.shared, limit=5, reason="why")
    set_credit_limit(actor=purse.operator, account=purse.shared, limit=5, reason="contract 7")
    latest = AccountChange.objects.filter(account=purse.shared).first()
    assert latest is not None
    assert (latest.what, latest.before, latest.after, latest.reason) == (
        "credit_limit", 0, 5, "contract 7",
    )  # fmt: skip


def test_the_history_cannot_be_changed(purse: Purse) -> None:
    set_status(actor=purse.admin, account=purse.shared, status="FROZEN", reason="why")
    for act in (
        lambda: AccountChange.objects.update(reason="because"),
        lambda: AccountChange.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError, match=r"acc_append_only|refused"), transaction.atomic():
            act()
