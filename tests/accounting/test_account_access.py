"""Who may see an account, pay from it, and manage it."""

from __future__ import annotations

import pytest

from accounting.access import account_for, lines_of
from accounting.accounts import (
    set_status,
    system_account,
    user_account,
)
from accounting.models import Account
from accounting.selectors import (
    manageable_accounts,
    payable_accounts,
)
from common.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PortalError,
)
from people.models import User
from tests.accounting.team import Team

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return Team()


def test_rights_on_accounts(team: Team) -> None:
    own = user_account(team.member)
    roles = {
        "operator": team.operator,
        "admin": team.admin,
        "member": team.member,
        "stranger": team.stranger,
    }
    accounts = {"group": team.account, "own": own, "system": system_account("issue")}
    answers = {
        (name, role): tuple(_may(user, account, right) for right in ("view", "pay", "manage"))
        for role, user in roles.items()
        for name, account in accounts.items()
    }
    assert answers == {
        ("group", "operator"): (True, Forbidden, True),
        ("group", "admin"): (True, True, True),
        ("group", "member"): (True, True, Forbidden),
        ("group", "stranger"): (NotFound, NotFound, NotFound),
        ("own", "operator"): (True, Forbidden, True),
        ("own", "admin"): (NotFound, NotFound, NotFound),
        ("own", "member"): (True, True, Forbidden),
        ("own", "stranger"): (NotFound, NotFound, NotFound),
        ("system", "operator"): (True, Forbidden, True),
        ("system", "admin"): (NotFound, NotFound, NotFound),
        ("system", "member"): (NotFound, NotFound, NotFound),
        ("system", "stranger"): (NotFound, NotFound, NotFound),
    }
    for impossible in (0, -1, 10**12, 2**80):
        with pytest.raises(NotFound):
            account_for(team.operator, impossible, "view")
    assert lines_of(team.member, team.account) == team.member.pk
    for sees_all in ((team.admin, team.account), (team.operator, team.account), (team.member, own)):
        assert lines_of(*sees_all) is None


def _may(user: User, account: Account, right: str) -> object:
    try:
        return account_for(user, account.pk, right) == account
    except PortalError as refusal:
        return type(refusal)


def test_accounts_to_pay_from_and_to_manage(team: Team) -> None:
    own = user_account(team.member)
    assert list(payable_accounts(team.member)) == [team.account, own]
    assert list(payable_accounts(team.stranger)) == []
    assert list(manageable_accounts(team.admin)) == [team.account]
    assert list(manageable_accounts(team.member)) == []
    assert set(manageable_accounts(team.operator)) == set(Account.objects.all())
    set_status(actor=team.operator, account=team.account, status="FROZEN", reason="why")
    assert list(payable_accounts(team.member)) == [own]
    assert _may(team.member, team.account, "pay") is Forbidden
    with pytest.raises(Conflict):
        set_status(actor=team.operator, account=team.account, status="CLOSED", reason="why")
    with pytest.raises(Forbidden):
        set_status(actor=team.admin, account=team.account, status="OPEN", reason="why")
    assert (
        set_status(actor=team.operator, account=own, status="CLOSED", reason="why").status
        == "CLOSED"
    )
