"""Credit by hand, who may see and spend, and what the statement tells."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting.access import account_for, lines_of
from accounting.accounts import (
    group_account,
    provider_account,
    set_status,
    system_account,
    user_account,
)
from accounting.check import findings
from accounting.credit import given as given_by
from accounting.credit import grant_to_member, issue_credit, set_cap, take_back
from accounting.ledger import post
from accounting.models import Account, Entry, MemberCap, Phase, Transfer, TransferKind
from accounting.selectors import (
    cap_of,
    days_left,
    manageable_accounts,
    open_holds,
    payable_accounts,
    spending_by_member,
    statement,
)
from common import clock
from common.errors import (
    Conflict,
    Forbidden,
    InsufficientCredit,
    InvalidInput,
    NotFound,
    PortalError,
)
from people.models import Membership, User
from tests.factories import CREDIT, give_credit, make_group, make_user

pytestmark = pytest.mark.django_db


class Team:
    """A group with 100 credits, its administrator and two members; an operator, a stranger."""

    def __init__(self) -> None:
        self.operator = make_user(is_staff=True)
        self.admin, self.member, self.other, self.stranger = (make_user() for _ in range(4))
        self.group = make_group(admin=self.admin, members=(self.member, self.other))
        self.account = group_account(self.group)
        self.provider = provider_account(1, "Centre")
        give_credit(self.account, 100)

    def grant(self, amount: int, key: str = "", **change: object) -> Transfer:
        call = {"actor": self.admin, "group": self.group, "member": self.member, "reason": "why"}
        return grant_to_member(amount=amount, key=key or uuid.uuid4().hex, **{**call, **change})

    def take(self, amount: int, key: str = "", **change: object) -> Transfer:
        call = {"actor": self.admin, "group": self.group, "member": self.member, "reason": "why"}
        return take_back(amount=amount, key=key or uuid.uuid4().hex, **{**call, **change})

    def book(self, phase: str, kind: str, amount: int, **extra: object) -> Transfer:
        sides = {"debit": self.account, "credit": self.provider, "id": uuid.uuid4()}
        return post(
            phase=Phase(phase), kind=TransferKind(kind), amount=amount, **{**sides, **extra}
        )[0]

    def spend(self, member: User, hold: int, charge: int) -> Transfer:
        held = self.book("pending", "HOLD", hold, member_id=member.pk)
        return self.book("post", "CHARGE", charge, pending=held)

    def balance(self, account: Account) -> int:
        return Account.objects.get(pk=account.pk).posted


@pytest.fixture
def team() -> Team:
    return Team()


# --- issuing, granting, taking back ------------------------------------------------------------


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


# --- who may ---------------------------------------------------------------------------------


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
    set_status(actor=team.operator, account=team.account, status="FROZEN")
    assert list(payable_accounts(team.member)) == [own]
    assert _may(team.member, team.account, "pay") is Forbidden
    with pytest.raises(Conflict):
        set_status(actor=team.operator, account=team.account, status="CLOSED")
    with pytest.raises(Forbidden):
        set_status(actor=team.admin, account=team.account, status="OPEN")
    assert set_status(actor=team.operator, account=own, status="CLOSED").status == "CLOSED"


# --- reading ---------------------------------------------------------------------------------


def test_the_statement_tells_hold_charge_release_and_grant(team: Team) -> None:
    charge = team.spend(team.member, 5 * CREDIT, 3 * CREDIT)
    team.book("single", "REFUND", CREDIT, debit=team.provider, credit=team.account, reverses=charge)
    freed = team.book("pending", "HOLD", 2 * CREDIT, member_id=team.other.pk)
    team.book("void", "RELEASE", 2 * CREDIT, pending=freed, reason="the job failed")
    team.grant(4 * CREDIT, member=team.other)
    told = [
        (str(line.kind), line.amount, line.held, line.balance, line.available)
        for line in statement(team.account).lines
    ]
    c = CREDIT
    assert told == [
        ("TRANSFER", -4 * c, 0, 94 * c, 94 * c),
        ("RELEASE", 0, -2 * c, 98 * c, 98 * c),
        ("HOLD", 0, 2 * c, 98 * c, 96 * c),
        ("REFUND", 1 * c, 0, 98 * c, 98 * c),
        ("RELEASE", 0, -2 * c, 97 * c, 97 * c),
        ("CHARGE", -3 * c, -3 * c, 97 * c, 95 * c),
        ("HOLD", 0, 5 * c, 100 * c, 95 * c),
        ("GRANT", 100 * c, 0, 100 * c, 100 * c),
    ]
    own = statement(team.account, member_id=team.member.pk).lines
    assert [str(line.kind) for line in own] == ["REFUND", "RELEASE", "CHARGE", "HOLD"]
    assert {(line.balance, line.available, line.member_id) for line in own} == {
        (None, None, team.member.pk)
    }
    income = statement(team.provider).lines
    assert [(line.amount, line.balance) for line in income] == [(-c, 2 * c), (3 * c, 3 * c)]
    assert {line.counterparty for line in income} == {str(team.account)}


@pytest.mark.parametrize(
    "before", ["x", "_" * 3, "2026-01-01_0_0_0", "2026-01-01T00:00:00_" + "0" * 32 + "_1_1", "\0"]
)
def test_a_made_up_page_is_refused(team: Team, before: str) -> None:
    with pytest.raises(InvalidInput):
        statement(team.account, before=before)


def _play(team: Team, moves: list[tuple[str, int]]) -> None:
    holds: list[Transfer] = []
    for move, amount in moves:
        if move == "grant":
            team.grant(amount)
        elif move == "hold":
            holds.append(team.book("pending", "HOLD", amount))
        elif holds and move == "charge":
            hold = holds.pop()
            team.book("post", "CHARGE", max(1, hold.amount - 3), pending=hold)
        elif holds:
            hold = holds.pop(0)
            team.book("void", "RELEASE", hold.amount, pending=hold)


MOVES = st.lists(
    st.tuples(st.sampled_from(("grant", "hold", "charge", "release")), st.integers(1, 30)),
    max_size=25,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(moves=MOVES, size=st.integers(1, 7))
def test_pages_of_a_statement_follow_each_other(
    team: Team, moves: list[tuple[str, int]], size: int
) -> None:
    _play(team, moves)
    whole = statement(team.account, limit=10_000).lines
    paged, before = [], None
    while True:
        page = statement(team.account, before=before, limit=size)
        paged += page.lines
        before = page.older
        if not before:
            break
    assert paged == whole
    account = Account.objects.get(pk=team.account.pk)
    balance, held = account.posted, account.held
    for line in whole:  # newest first: each line follows from the one below it
        assert (line.balance, line.available) == (balance, balance - held)
        balance, held = balance - line.amount, held - line.held
    assert (balance, held) == (0, 0)
    posted = [line.balance for line in reversed(whole) if line.amount]
    running = Entry.objects.filter(account=account).order_by("version")
    assert posted == list(running.values_list("balance_after", flat=True))


def test_who_spent_what_and_how_long_it_lasts(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    assert days_left(team.account) is None
    today = clock.now().replace(day=15)
    before = today - timedelta(days=40)
    monkeypatch.setattr("accounting.ledger.now", lambda: before)
    team.spend(team.member, 8 * CREDIT, 7 * CREDIT)
    monkeypatch.setattr("accounting.ledger.now", lambda: today)
    charge = team.spend(team.member, 5 * CREDIT, 5 * CREDIT)
    team.spend(team.other, 3 * CREDIT, 3 * CREDIT)
    team.book(
        "single", "REFUND", 4 * CREDIT, debit=team.provider, credit=team.account, reverses=charge
    )
    team.book("pending", "HOLD", 2 * CREDIT, member_id=team.other.pk)
    told = [
        (row.member, row.month, row.amount, row.charges) for row in spending_by_member(team.account)
    ]
    this_month, that_month = (day.date().replace(day=1) for day in (today, before))
    assert told == [
        (team.other, this_month, 3 * CREDIT, 1),
        (team.member, this_month, 1 * CREDIT, 1),
        (team.member, that_month, 7 * CREDIT, 1),
    ]
    own = spending_by_member(team.account, since=today, member_id=team.member.pk)
    assert [row.amount for row in own] == [CREDIT]
    assert [hold.amount for hold in open_holds(team.account)] == [2 * CREDIT]
    assert not open_holds(team.account, member_id=team.member.pk).exists()
    monkeypatch.setattr("accounting.selectors.now", lambda: today + timedelta(days=4))
    team.account.refresh_from_db()
    # 87 available; 4 spent in 4 days.
    assert days_left(team.account) == 87


# --- the administration ------------------------------------------------------------------------


@pytest.fixture
def sign_in(client: Client) -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client.force_login(user)
        return client

    return signed_in


def test_operators_issue_and_limit_credit_in_the_administration(
    team: Team, sign_in: Callable[[User], Client]
) -> None:
    browser = sign_in(team.operator)
    page = reverse("admin:accounting_account_issue", args=[team.account.pk])
    key = browser.get(page).context["form"].initial["key"]
    form = {"amount": "2.5", "reason": "workshop", "key": key}
    for _press in range(2):
        assert browser.post(page, form).status_code == 302
    assert team.balance(team.account) == 102 * CREDIT + CREDIT // 2
    for wrong in ({"amount": "0"}, {"amount": "0.0000001"}, {"reason": ""}, {"amount": "1e99"}):
        answer = browser.post(page, {**form, "key": uuid.uuid4(), **wrong})
        assert answer.status_code == 200
        assert answer.context["form"].errors
    other = browser.post(page, {**form, "amount": "3"})  # the key stands for another amount
    assert "another transfer" in other.content.decode()
    limit = reverse("admin:accounting_account_limit", args=[team.account.pk])
    assert browser.get(limit).status_code == 200
    assert browser.post(limit, {"limit": "20"}).status_code == 302
    team.account.refresh_from_db()
    assert team.account.floor == -20 * CREDIT
    assert team.balance(team.account) == 102 * CREDIT + CREDIT // 2


def test_the_books_are_shown_to_operators_and_changed_by_nobody(
    team: Team, sign_in: Callable[[User], Client]
) -> None:
    team.spend(team.member, 2, 1)
    MemberCap.objects.create(account=team.account, member_id=team.member.pk, limit_amount=9)
    browser = sign_in(team.operator)
    tables = (
        *("account", "transfer", "entry", "membercap", "pricelist", "quote"),
        *("jobbill", "usagemessage", "usagerecord"),
    )
    for table in tables:
        listing = reverse(f"admin:accounting_{table}_changelist")
        assert browser.get(listing, {"q": "1"}).status_code == 200
        assert browser.get(reverse(f"admin:accounting_{table}_add")).status_code == 403
    account = reverse("admin:accounting_account_change", args=[team.account.pk])
    assert b"Issue credit" in browser.get(account).content
    assert browser.post(account, {"name": "mine"}).status_code == 403
    transfer = reverse("admin:accounting_transfer_change", args=[Transfer.objects.first().pk])
    assert browser.get(transfer).status_code == 200
    assert browser.post(transfer, {"amount": 1}).status_code == 403
    listing = reverse("admin:accounting_account_changelist")
    for action, status in (("freeze", "FROZEN"), ("reopen", "OPEN"), ("close", "OPEN")):
        answer = browser.post(
            listing, {"action": action, "_selected_action": [team.account.pk]}, follow=True
        )
        assert answer.status_code == 200
        assert Account.objects.get(pk=team.account.pk).status == status
    assert b"Only an empty account can be closed" in answer.content
    unknown = reverse("admin:accounting_account_issue", args=["nobody"])
    assert browser.get(unknown).status_code == 404
    for user in (team.admin, team.stranger):
        assert sign_in(user).get(account).status_code == 302
        assert sign_in(user).get(unknown).status_code == 302
