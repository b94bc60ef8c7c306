"""Many transfers at once: as fast as a set, as strict as one by one."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounting import ledger
from accounting.accounts import group_account, provider_account, system_account
from accounting.check import findings
from accounting.credit.caps import cap_of
from accounting.credit.transfers import set_cap
from accounting.ledger import Posting, broken_rule, post, post_many
from accounting.models import (
    Account,
    AccountChange,
    Entry,
    MemberCap,
    MonthlyStatement,
    Phase,
    Seal,
    Transfer,
    TransferKind,
)
from common.errors import Conflict, InsufficientCredit, MemberLimitReached
from tests.factories import make_group, make_user

HOLD, CHARGE, VOID = (
    (Phase.PENDING, TransferKind.HOLD),
    (Phase.POST, TransferKind.CHARGE),
    (Phase.VOID, TransferKind.RELEASE),
)


class Books:
    """A group's account with 1,000 micro-credits, a member, and a payee."""

    def __init__(self) -> None:
        self.member = make_user()
        self.group = make_group(admin=make_user(), members=(self.member,))
        self.admin = self.group.memberships.get(role="admin").user
        self.payer, self.payee = group_account(self.group), provider_account(2)
        issue = system_account("issue")
        grant = self.posting(Phase.SINGLE, TransferKind.GRANT, 1000, debit=issue, credit=self.payer)
        post_many([grant])

    def posting(self, phase: Phase, kind: TransferKind, amount: int, **more: Any) -> Posting:
        facts = {"id": uuid.uuid4(), "debit": self.payer, "credit": self.payee, **more}
        return Posting(phase=phase, kind=kind, amount=amount, **facts)

    def hold(self, amount: int) -> Transfer:
        posting = self.posting(*HOLD, amount, member_id=self.member.pk)
        return post(**{name: getattr(posting, name) for name in Posting.__slots__})[0]

    def limit(self, limit: int | None, period: str | None = None) -> MemberCap | None:
        return set_cap(
            actor=self.admin, group=self.group, member=self.member, limit=limit, period=period
        )

    def state(self) -> tuple[int, int]:
        fresh = Account.objects.get(pk=self.payer.pk)
        return fresh.posted, fresh.held


@pytest.fixture
def books(db: None) -> Books:
    return Books()


def test_resolutions_are_booked_together_and_once(
    books: Books, django_assert_max_num_queries: Any
) -> None:
    holds = [books.hold(10) for _ in range(20)]
    batch = [books.posting(*CHARGE, 7, pending=hold) for hold in holds[:12]]
    batch += [books.posting(*VOID, 10, pending=hold) for hold in holds[12:]]
    with django_assert_max_num_queries(5):  # as many as for one: a savepoint and the statement
        assert post_many(batch) == 20
    assert books.state() == (1000 - 84, 0)
    assert post_many(batch) == 0
    assert post_many([*batch, books.posting(*VOID, 10, pending=books.hold(10))]) == 1
    # Another id, and the same outcome of the same holds.
    assert post_many([books.posting(*CHARGE, 7, pending=hold) for hold in holds[:12]]) == 0
    running = Entry.objects.filter(account=books.payer).order_by("version")
    assert [entry.balance_after for entry in running][-3:] == [930, 923, 916]
    assert findings() == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"amount": 11}, None),  # beyond the hold, and there is credit
        ({"amount": 2000}, InsufficientCredit),
        ({"credit": 3}, Conflict),
        ({"pending": uuid.uuid4()}, Conflict),
        ({"phase": Phase.VOID, "kind": TransferKind.RELEASE, "amount": 9}, Conflict),
        ({"member_id": 10**9}, Conflict),
    ],
)
def test_nothing_is_booked_if_one_is_wrong(
    books: Books, wrong: dict[str, Any], error: type[Exception] | None
) -> None:
    holds = [books.hold(10) for _ in range(3)]
    changed = {"credit": provider_account(3)} if "credit" in wrong else wrong
    facts = {"phase": Phase.POST, "kind": TransferKind.CHARGE, "amount": 10, "pending": holds[2]}
    batch = [books.posting(*CHARGE, 10, pending=hold) for hold in holds[:2]]
    batch.append(books.posting(**{**facts, **changed}))
    if error is None:
        assert post_many(batch) == 3
        assert books.state() == (1000 - 31, 0)
    else:
        with transaction.atomic():
            with pytest.raises(error):
                post_many(batch)
            assert books.state() == (1000, 30)
    assert findings() == []


def test_an_overrun_is_authorised_within_a_batch(books: Books) -> None:
    books.limit(100)
    holds = [books.hold(50), books.hold(50)]
    batch = [
        books.posting(*CHARGE, 2000, pending=holds[0], overrun_ok=True),
        books.posting(*CHARGE, 20, pending=holds[1]),
    ]
    assert post_many(batch) == 2
    payer = Account.objects.get(pk=books.payer.pk)
    assert (payer.posted, payer.held, payer.overrun) == (-1020, 0, 1020)
    cap = cap_of(books.payer, books.member.pk)
    assert cap is not None
    assert (cap.used, cap.held, cap.overrun) == (2020, 0, 1920)
    assert findings() == []


def test_a_set_skips_no_check_of_the_database(books: Books) -> None:
    """Rows that no code of ours would send, in one statement."""
    hold = books.hold(10)
    rows = [
        ledger._row(posting, hold.created_at)
        for posting in (
            books.posting(*CHARGE, 5, pending=hold),
            books.posting(*CHARGE, 5, pending=hold),
        )
    ]
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        ledger.ledger_rows.insert_many(rows, connection)
    assert broken_rule(error.value) == "acc_transfer_one_resolution"
    assert books.state() == (1000, 10)


def test_a_limit_begins_anew_with_each_period(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(*day: int) -> None:
        monkeypatch.setattr(timezone, "now", lambda: datetime(*day, tzinfo=UTC))  # type: ignore[misc]

    at(2028, 2, 29, 23, 59, 59)
    books.limit(100, "MONTH")
    early = books.hold(60)
    with pytest.raises(MemberLimitReached):
        books.hold(41)
    at(2028, 3, 1)
    books.hold(100)
    assert post_many([books.posting(*CHARGE, 60, pending=early)]) == 1  # counts in February
    months = MemberCap.objects.order_by("period_start")
    told = [(cap.period_start, cap.used, cap.held) for cap in months]
    assert told == [(date(2028, 2, 1), 60, 0), (date(2028, 3, 1), 0, 100)]
    quarter = books.limit(150, "QUARTER")  # from January on: both months
    assert quarter is not None
    assert (quarter.period_start, quarter.used, quarter.held) == (date(2028, 1, 1), 60, 100)
    with pytest.raises(MemberLimitReached):
        books.hold(1)
    at(2028, 4, 1)
    fresh = cap_of(books.payer, books.member.pk)
    assert fresh is not None
    assert (fresh.pk, fresh.used, fresh.held, fresh.limit_amount) == (None, 0, 0, 150)
    books.hold(150)
    books.limit(None)
    books.hold(1)
    assert findings() == []
    changes = AccountChange.objects.filter(what="cap").order_by("pk")
    assert [change.after["limit"] for change in changes] == [100, 150, None]


def test_seals_statements_and_changes_stay_as_they_were_made(books: Books) -> None:
    books.limit(5)
    at = Transfer.objects.get().created_at
    Seal.objects.create(
        account=books.payer, from_version=1, to_version=1, hash="0" * 64, created_at=at, form=1
    )
    zero = dict.fromkeys(("opening", "credits", "debits", "closing", "last_version"), 0)
    MonthlyStatement.objects.create(
        account=books.payer, month=date(2026, 1, 1), first_version=1, closed_at=at, **zero
    )
    for table, column in (
        ("acc_account_change", "actor"),
        ("acc_seal", "hash"),
        ("acc_statement", "month"),
    ):
        for attempt in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):  # noqa: S608
            with (
                pytest.raises(IntegrityError) as error,
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(attempt)
            assert broken_rule(error.value) == "acc_append_only"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite keeps no plans")
def test_the_server_keeps_the_plans_of_one_and_of_many(books: Books) -> None:
    post_many([books.posting(*HOLD, 1), books.posting(*HOLD, 1)])
    books.hold(1)
    books.hold(1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement LIKE '%%unnest%%', generic_plans + custom_plans"
            " FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO acc_transfer%%'"
        )
        plans = dict(cursor.fetchall())
    assert plans[False] >= 2
    assert plans[True] >= 1
