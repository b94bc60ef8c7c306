"""What the ledger answers, what it refuses, and what nobody can do to it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounting.accounts import provider_account, set_credit_limit, system_account
from accounting.check import findings
from accounting.ledger import broken_rule, fingerprint, post
from accounting.models import (
    Account,
    AccountChange,
    Entry,
    MemberCap,
    Phase,
    PriceList,
    Quote,
    Rate,
    Transfer,
    TransferKind,
)
from common.clock import now
from common.errors import (
    Conflict,
    InsufficientCredit,
    InvalidInput,
    MemberLimitReached,
    NotFound,
)
from people.models import User

CREDIT = 1_000_000
MEMBER = 17


class Books:
    """A payer with 10 credits, a payee, and short ways to move credit between them."""

    def __init__(self) -> None:
        self.issue = system_account("issue")
        self.payer = provider_account(1, "Payer")
        self.payee = provider_account(2, "Payee")
        self.grant(self.payer, 10 * CREDIT)

    def book(self, phase: str, kind: str, amount: int, **extra: Any) -> Transfer:
        arguments = {"id": uuid.uuid4(), "debit": self.payer, "credit": self.payee, **extra}
        return post(phase=Phase(phase), kind=TransferKind(kind), amount=amount, **arguments)[0]

    def grant(self, account: Account, amount: int) -> Transfer:
        return self.book("single", "GRANT", amount, debit=self.issue, credit=account)

    def hold(self, amount: int, **extra: Any) -> Transfer:
        return self.book("pending", "HOLD", amount, **extra)

    def charge(self, hold: Transfer, amount: int, **extra: Any) -> Transfer:
        return self.book("post", "CHARGE", amount, pending=hold, **extra)

    def release(self, hold: Transfer, **extra: Any) -> Transfer:
        return self.book("void", "RELEASE", hold.amount, pending=hold, **extra)

    def refund(self, charge: Transfer, amount: int, **extra: Any) -> Transfer:
        turned = {"debit": self.payee, "credit": self.payer, "reverses": charge, **extra}
        return self.book("single", "REFUND", amount, **turned)

    def state(self, account: Account | None = None) -> tuple[int, int]:
        fresh = Account.objects.get(pk=(account or self.payer).pk)
        return fresh.posted, fresh.held


@pytest.fixture
def books(db: None) -> Books:
    return Books()


def test_a_hold_is_charged_in_part_and_refunded(books: Books) -> None:
    hold = books.hold(4 * CREDIT, expires_at=now() + timedelta(days=1))
    assert books.state() == (10 * CREDIT, 4 * CREDIT)
    charge = books.charge(hold, 3 * CREDIT)
    assert books.state() == (7 * CREDIT, 0)
    assert books.state(books.payee) == (3 * CREDIT, 0)
    books.refund(charge, 1 * CREDIT)
    books.refund(charge, 2 * CREDIT)
    assert books.state() == (10 * CREDIT, 0)
    books.grant(books.payee, CREDIT)
    with pytest.raises(Conflict):
        books.refund(charge, 1)
    lines = Entry.objects.filter(account=books.payer).values_list("version", "balance_after")
    assert list(lines) == [(1, 10 * CREDIT), (2, 7 * CREDIT), (3, 8 * CREDIT), (4, 10 * CREDIT)]
    assert findings() == []


def test_a_repeated_request_has_no_second_effect(books: Books) -> None:
    hold = books.hold(4 * CREDIT)
    again = {"id": hold.pk, "reference": ""}
    assert books.hold(4 * CREDIT, **again) == hold
    assert books.state() == (10 * CREDIT, 4 * CREDIT)
    with pytest.raises(Conflict):
        books.hold(4 * CREDIT + 1, **again)
    charge = books.charge(hold, CREDIT)
    # Another id, and the same outcome of the same hold: what somebody else just did.
    assert books.charge(hold, CREDIT) == charge
    with pytest.raises(Conflict):
        books.charge(hold, 2 * CREDIT)
    with pytest.raises(Conflict):
        books.release(hold)
    assert books.state() == (9 * CREDIT, 0)


def test_a_refusal_says_what_is_missing_and_spares_the_callers_transaction(books: Books) -> None:
    with transaction.atomic():
        books.hold(4 * CREDIT)
        with pytest.raises(InsufficientCredit) as refusal:
            books.hold(8 * CREDIT + 500_000)
        kept = books.hold(6 * CREDIT)
    assert refusal.value.data == {
        "required": Decimal("8.5"),
        "available": Decimal("6"),
        "shortfall": Decimal("2.5"),
        "account": "Payer",
    }
    assert "8.50" in refusal.value.detail
    assert books.state() == (10 * CREDIT, 10 * CREDIT)
    with pytest.raises(InsufficientCredit) as refusal:
        books.charge(kept, 7 * CREDIT)
    assert refusal.value.data["required"] == Decimal("1")
    assert refusal.value.data["shortfall"] == Decimal("1")


def limit_member(account: Account, limit: int) -> MemberCap:
    """A limit for all time, with its change on record."""
    cap = MemberCap.objects.create(account=account, member_id=MEMBER, limit_amount=limit)
    after = {"member": MEMBER, "limit": limit, "period": ""}
    AccountChange.objects.create(account=account, actor="test", at=now(), what="cap", after=after)
    cap.refresh_from_db()
    return cap


def test_a_members_limit_holds_and_counts_what_was_before(books: Books) -> None:
    early = books.hold(2 * CREDIT, member_id=MEMBER)
    charged = books.charge(books.hold(1 * CREDIT, member_id=MEMBER), CREDIT)
    cap = limit_member(books.payer, 4 * CREDIT)
    assert (cap.used, cap.held) == (CREDIT, 2 * CREDIT)
    with pytest.raises(MemberLimitReached) as refusal:
        books.hold(2 * CREDIT, member_id=MEMBER)
    assert refusal.value.data["available"] == Decimal("1")
    assert refusal.value.data["shortfall"] == Decimal("1")
    books.hold(2 * CREDIT, member_id=MEMBER + 1)
    books.release(early)
    books.refund(charged, CREDIT)
    books.charge(books.hold(4 * CREDIT, member_id=MEMBER), 4 * CREDIT)
    cap.refresh_from_db()
    assert (cap.used, cap.held, cap.overrun) == (4 * CREDIT, 0, 0)
    # An authorised overrun is recorded, and is no allowance for the next one.
    over = books.book("single", "CHARGE", CREDIT, member_id=MEMBER, overrun_ok=True)
    books.refund(over, CREDIT)
    with pytest.raises(MemberLimitReached):
        books.book("single", "CHARGE", 1, member_id=MEMBER)
    assert findings() == []


def test_debt_is_recorded_and_stops_further_spending(books: Books) -> None:
    hold = books.hold(10 * CREDIT)
    books.charge(hold, 12 * CREDIT, overrun_ok=True)
    books.payer.refresh_from_db()
    assert (books.payer.posted, books.payer.overrun) == (-2 * CREDIT, 2 * CREDIT)
    with pytest.raises(InsufficientCredit):
        books.hold(1)
    books.grant(books.payer, 3 * CREDIT)
    books.payer.refresh_from_db()
    assert (books.payer.posted, books.payer.overrun) == (CREDIT, 0)


def test_a_credit_limit_is_used_and_can_be_taken_away(books: Books) -> None:
    operator = User.objects.create(username="operator", is_staff=True)
    set_credit_limit(actor=operator, account=books.payer, limit=5 * CREDIT, reason="why")
    books.hold(15 * CREDIT)
    with pytest.raises(InsufficientCredit):
        books.hold(1)
    account = set_credit_limit(actor=operator, account=books.payer, limit=0, reason="why")
    assert (account.floor, account.overrun) == (0, 5 * CREDIT)
    books.grant(books.payer, 4 * CREDIT)
    with pytest.raises(InsufficientCredit):
        books.hold(1)
    assert findings() == []


def test_frozen_accounts_receive_and_settle_but_do_not_spend(books: Books) -> None:
    hold = books.hold(CREDIT)
    Account.objects.filter(pk=books.payer.pk).update(status="FROZEN")
    books.grant(books.payer, CREDIT)
    for spend in (lambda: books.hold(1), lambda: books.book("single", "CHARGE", 1)):
        with pytest.raises(Conflict):
            spend()
    books.charge(hold, CREDIT)
    empty = provider_account(3)
    Account.objects.filter(pk=empty.pk).update(status="CLOSED")
    with pytest.raises(Conflict):
        books.grant(empty, 1)
    assert books.state() == (10 * CREDIT, 0)


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (InvalidInput, {"amount": 0}),
        (InvalidInput, {"amount": -5}),
        (InvalidInput, {"amount": 9 * 10**15 + 1}),
        (InvalidInput, {"amount": 2**70}),
        (InvalidInput, {"amount": 1.5}),
        (InvalidInput, {"kind": "ADJUST"}),
        (InvalidInput, {"kind": "REFUND"}),
        (InvalidInput, {"phase": "post"}),
        (InvalidInput, {"expires_at": "tomorrow"}),
        (InvalidInput, {"credit": "itself"}),
        (NotFound, {"credit": "nobody"}),
        (Conflict, {"phase": "post", "pending": uuid.uuid4()}),
        (Conflict, {"credit": "euros"}),
    ],
)
def test_what_makes_no_sense_is_refused(
    books: Books, error: type[Exception], change: dict[str, Any]
) -> None:
    values = {
        "itself": books.payer,
        "nobody": Account(pk=10**12),
        "euros": Account.objects.create(code="provider:9", kind="PROVIDER", currency="EUR"),
        "tomorrow": now() + timedelta(days=1),
    }
    given_values = {k: values.get(v, v) for k, v in change.items()}
    request = {"phase": "single", "kind": "TRANSFER", "amount": 1, **given_values}
    with pytest.raises(error):
        books.book(**request)
    assert books.state() == (10 * CREDIT, 0)
    assert Transfer.objects.count() == 1


TAMPERING = (
    ("acc_append_only", "UPDATE acc_transfer SET amount = 1"),
    ("acc_append_only", "DELETE FROM acc_transfer"),
    ("acc_append_only", "UPDATE acc_entry SET amount = 1"),
    ("acc_append_only", "DELETE FROM acc_entry"),
    ("acc_append_only", "DELETE FROM acc_account WHERE code = 'provider:2'"),
    ("acc_append_only", "UPDATE acc_quote SET total = 0"),
    ("acc_append_only", "DELETE FROM acc_quote"),
    ("acc_append_only", "UPDATE acc_price_list SET code = 'other'"),
    ("acc_append_only", "DELETE FROM acc_price_list"),
    ("acc_append_only", "UPDATE acc_rate SET price = 0"),
    ("acc_append_only", "DELETE FROM acc_rate"),
    (
        "acc_append_only",
        "INSERT INTO acc_rate (price_list_id, provider_id, service_id, unit, unit_size, price,"
        " minimum, free_quantity) SELECT id, 0, 9, 'JOB', 1, 1, 0, 0 FROM acc_price_list",
    ),
    ("acc_only_transfers", "UPDATE acc_account SET posted = posted + 1"),
    ("acc_only_transfers", "UPDATE acc_account SET held = 0"),
    ("acc_only_transfers", "UPDATE acc_account SET version = 0"),
    ("acc_only_transfers", "UPDATE acc_account SET overrun = 5"),
    ("acc_only_transfers", "UPDATE acc_account SET floor = -5, overrun = 5"),
    ("acc_only_transfers", "UPDATE acc_account SET currency = 'EUR'"),
    ("acc_only_transfers", "UPDATE acc_account SET kind = 'SYSTEM'"),
    (
        "acc_only_transfers",
        "INSERT INTO acc_account (code, kind, name, currency, posted, held, floor, overrun,"
        " version, status, overrun_policy)"
        " VALUES ('provider:7', 'PROVIDER', '', 'CRD', 100, 0, 0, 0, 0, 'OPEN', 'DEBT')",
    ),
    (
        "acc_only_transfers",
        "INSERT INTO acc_entry (transfer_id, account_id, amount, balance_after, version)"
        " SELECT id, debit_id, 5, 5, 9 FROM acc_transfer",
    ),
    ("acc_only_transfers", "UPDATE acc_cap SET used = 0"),
    ("acc_only_transfers", "UPDATE acc_cap SET held = 1"),
    ("acc_only_transfers", "UPDATE acc_cap SET overrun = 1"),
    ("acc_only_transfers", "UPDATE acc_cap SET member_id = 99"),
    ("acc_only_transfers", "UPDATE acc_cap SET limit_ = 0"),
)
TABLES = ("acc_transfer", "acc_entry", "acc_account", "acc_quote", "acc_price_list", "acc_rate")
TRUNCATES = tuple(("acc_append_only", f"TRUNCATE {table} CASCADE") for table in TABLES)


@pytest.fixture
def full_books(books: Books) -> Books:
    """Something in every table that must not change."""
    limit_member(books.payer, 5 * CREDIT)
    books.charge(books.hold(CREDIT, member_id=MEMBER), CREDIT)
    at, later = now(), now() + timedelta(hours=1)
    prices = PriceList.objects.create(code="provider:1", version=1, effective_from=at)
    rate = Rate.objects.create(price_list=prices, unit="JOB", price=5)
    Rate.objects.filter(pk=rate.pk).update(price=6)  # until it is published
    PriceList.objects.filter(pk=prices.pk).update(published_at=at)
    Quote.objects.create(
        id=uuid.uuid4(),
        account=books.payer,
        member_id=MEMBER,
        provider_id=1,
        service_id=1,
        price_list=prices,
        total=6,
        created_at=at,
        expires_at=later,
    )
    connection.check_constraints()  # what is pending till the commit would forbid a TRUNCATE
    return books


def execute(statement: str, parameters: list[Any] | None = None) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_nobody_changes_the_books_past_the_ledger(full_books: Books) -> None:
    attempts = TAMPERING + (TRUNCATES if connection.vendor == "postgresql" else ())
    for rule, statement in attempts:
        with pytest.raises(IntegrityError) as error:
            execute(statement)
        assert broken_rule(error.value) == rule, statement
    assert full_books.state() == (9 * CREDIT, 0)
    assert findings() == []


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="what SQLite alone would let pass")
def test_sqlite_skips_no_check_and_stores_no_float(books: Books) -> None:
    insert = (
        "INSERT {} INTO acc_transfer (id, phase, kind, debit_id, credit_id, amount, overrun_ok,"
        " fingerprint, actor, reason, reference, effective_at, created_at)"
        " VALUES (%s, 'single', 'TRANSFER', %s, %s, %s, %s, '', '', '', '', '2026', '2026')"
    )
    most = 9 * 10**15
    for policy, amount, rule in (
        ("", 1.5, "acc_amount_pos"),
        ("OR IGNORE", 2.5, "acc_amount_pos"),
        ("OR IGNORE", most, "acc_bounds"),
        ("OR REPLACE", most, "acc_bounds"),
    ):
        payer, payee = books.issue.pk, books.payer.pk
        parameters = [uuid.uuid4().hex, payer, payee, amount, True]
        with pytest.raises(IntegrityError) as error:
            execute(insert.format(policy), parameters)
        assert broken_rule(error.value) == rule
    emptied = (
        "id, code, kind, name, currency, {}, {}, floor, {}, {}, status, overrun_policy, user_id,"
        " group_id".format
    )
    replaced = (  # a replaced row is a deleted one
        "acc_transfer SELECT * FROM acc_transfer",
        f"acc_account ({emptied('posted', 'held', 'overrun', 'version')})"  # noqa: S608
        f" SELECT {emptied(0, 0, 0, 0)} FROM acc_account",
    )
    for rows in replaced:
        with pytest.raises(IntegrityError) as error:
            execute(f"INSERT OR REPLACE INTO {rows}")
        assert broken_rule(error.value) == "acc_append_only"
    for column in ("floor", "posted"):
        with pytest.raises(IntegrityError):
            execute(f"UPDATE acc_account SET {column} = -0.5")  # noqa: S608
    assert books.state() == (10 * CREDIT, 0)
    assert findings() == []


CONTENTS = st.fixed_dictionaries(
    {
        "phase": st.sampled_from(Phase.values),
        "kind": st.sampled_from(TransferKind.values),
        "debit_id": st.integers(1, 99),
        "credit_id": st.integers(1, 99),
        "amount": st.integers(1, 999),
        "pending_id": st.none() | st.uuids(),
        "reverses_id": st.none() | st.uuids(),
        "member_id": st.none() | st.integers(1, 99),
        "reference": st.text("|0a", max_size=4),
    }
)


@given(CONTENTS, CONTENTS, st.sampled_from(("phase", "kind", "amount", "member_id", "reference")))
def test_a_fingerprint_stands_for_the_content_alone(
    one: dict[str, Any], other: dict[str, Any], name: str
) -> None:
    changed = {**one, name: other[name]}
    same = fingerprint(Transfer(**one)) == fingerprint(Transfer(**changed))
    assert same == (one == changed)
    noted = Transfer(**one, actor="somebody", reason="of no meaning", created_at=now())
    assert fingerprint(noted) == fingerprint(Transfer(**one))
