"""What the statement of an account tells, and who spent what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting.models import Account, Entry, Transfer
from accounting.selectors import (
    days_left,
    open_holds,
    spent_by_members,
    statement,
)
from common import clock
from common.errors import (
    InvalidInput,
)
from tests.accounting.team import Team
from tests.factories import CREDIT

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return Team()


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
    members = [team.member.pk, team.other.pk]
    assert spent_by_members(team.account, members) == dict(
        zip(members, (8 * CREDIT, 3 * CREDIT), strict=True)
    )
    assert [hold.amount for hold in open_holds(team.account)] == [2 * CREDIT]
    assert not open_holds(team.account, member_id=team.member.pk).exists()
    monkeypatch.setattr("accounting.selectors.now", lambda: today + timedelta(days=4))
    team.account.refresh_from_db()
    # 87 available; 4 spent in 4 days.
    assert days_left(team.account) == 87
