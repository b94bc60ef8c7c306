"""Credit by hand: issued, given and taken back in a group, limited per member."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounting.accounts import system_account, user_account
from accounting.check import findings
from accounting.credit.transfers import given as given_by
from accounting.credit.transfers import issue_credit, set_cap
from accounting.selectors import (
    cap_of,
)
from common.errors import (
    Conflict,
    Forbidden,
    InsufficientCredit,
    InvalidInput,
    PortalError,
)
from people.models import Membership
from tests.accounting.team import Team
from tests.factories import CREDIT, give_credit

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return Team()


def test_operators_issue_credit_once_per_key(team: Team) -> None:
    call = {"actor": team.operator, "account": team.account, "amount": 5, "reason": "trial"}
    first = issue_credit(key="form-1", **call)
    assert issue_credit(key="form-1", **call) == first
    assert (first.actor, first.reason, first.kind) == (f"user:{team.operator.pk}", "trial", "GRANT")
    with pytest.raises(Conflict):
        issue_credit(key="form-1", **{**call, "amount": 6})
    with pytest.raises(Conflict):
        issue_credit(key="form-1", **{**call, "account": team.provider})
    with pytest.raises(Forbidden):
        issue_credit(key="form-2", **{**call, "actor": team.admin})
    for system in ("issue", "writeoff"):
        with pytest.raises(InvalidInput) as refusal:
            issue_credit(key=system, **{**call, "account": system_account(system)})
        assert refusal.value.locator == "account"
    assert team.balance(team.account) == 100 * CREDIT + 5
    assert findings() == []


@pytest.mark.parametrize(
    ("locator", "change"),
    [
        ("reason", {"reason": "  "}),
        ("reason", {"reason": "x" * 501}),
        ("reason", {"reason": "nul \0 character"}),
        ("amount", {"amount": 0}),
        ("amount", {"amount": -CREDIT}),
        ("amount", {"amount": 10**30}),
        ("", {"key": ""}),
    ],
)
def test_a_wrong_request_names_what_is_wrong(
    team: Team, locator: str, change: dict[str, object]
) -> None:
    call = {"actor": team.operator, "account": team.account, "amount": 5, "reason": "a", "key": "k"}
    with pytest.raises(InvalidInput) as refusal:
        issue_credit(**{**call, **change})
    assert refusal.value.locator == locator
    assert team.balance(team.account) == 100 * CREDIT


def test_a_group_gives_credit_and_takes_back_what_it_gave(team: Team) -> None:
    own = user_account(team.member)
    team.grant(30 * CREDIT, key="one")
    team.grant(30 * CREDIT, key="one")
    give_credit(own, 50)  # not the group's
    assert (team.balance(team.account), team.balance(own)) == (70 * CREDIT, 80 * CREDIT)
    with pytest.raises(Conflict) as refusal:
        team.take(31 * CREDIT)
    assert refusal.value.data == {"most": Decimal(30)}
    taken = team.take(20 * CREDIT, key="back")
    assert team.take(20 * CREDIT, key="back") == taken
    assert given_by(group=team.group, member=team.member) == 10 * CREDIT
    team.book("pending", "HOLD", 55 * CREDIT, debit=own)
    with pytest.raises(InsufficientCredit):
        team.take(10 * CREDIT)
    Membership.objects.get(user=team.member, group=team.group).delete()
    team.take(5 * CREDIT)
    with pytest.raises(InvalidInput):
        team.grant(1)
    assert (team.balance(team.account), team.balance(own)) == (95 * CREDIT, 55 * CREDIT)
    assert findings() == []


def test_only_administrators_move_a_groups_credit(team: Team) -> None:
    team.grant(CREDIT)
    for actor in (team.member, team.stranger):
        for act in (
            lambda who: team.grant(1, actor=who),
            lambda who: team.take(1, actor=who),
            lambda who: set_cap(actor=who, group=team.group, member=team.member, limit=1),
        ):
            with pytest.raises(Forbidden):
                act(actor)
    team.grant(1, actor=team.operator)
    with pytest.raises(InsufficientCredit):
        team.grant(200 * CREDIT)


def test_a_limit_is_set_lowered_and_lifted(team: Team) -> None:
    team.spend(team.member, 10, 10)
    call = {"actor": team.admin, "group": team.group, "member": team.member}
    cap = set_cap(limit=15, **call)
    assert cap is not None
    assert (cap.limit_amount, cap.used, cap.held) == (15, 10, 0)
    team.spend(team.member, 5, 5)
    lower = set_cap(limit=3, **call)
    assert lower is not None
    assert (lower.limit_amount, lower.used, lower.overrun) == (3, 15, 12)
    with pytest.raises(PortalError) as refusal:
        team.spend(team.member, 1, 1)
    assert refusal.value.code == "member_limit"
    assert set_cap(limit=None, **call) is None
    assert cap_of(team.account, team.member.pk) is None
    team.spend(team.member, 1, 1)
    for wrong in ({"limit": -1}, {"limit": 5, "member": team.stranger}):
        with pytest.raises(InvalidInput):
            set_cap(**{**call, **wrong})
    assert findings() == []
