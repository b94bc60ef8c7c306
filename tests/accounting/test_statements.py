"""Monthly statements add up for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction

from accounting.accounts import system_account, user_account
from accounting.check import findings
from accounting.models import Account, MonthlyStatement
from accounting.statements.entries import bookings, chunks
from accounting.statements.monthly import close_due, running, statement_of
from accounting.statements.seals import seal, seal_due, verify
from common.errors import NotFound
from tests.accounting.postings import START, book
from tests.factories import make_user
from tests.flush import triggers_off

TICK = timedelta(microseconds=1)


def of(account: Account) -> list[MonthlyStatement]:
    return list(account.monthly_statements.order_by("month"))


def first_of(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


@pytest.mark.django_db
def test_twenty_four_months_in_a_chain(clock) -> None:
    account = user_account(make_user())
    months = [date(2024 + n // 12, n % 12 + 1, 1) for n in range(24)]
    for number, month in enumerate(months):
        if number % 5 == 3:
            continue  # nothing happens in some of the months
        for day in (1, 15, 28):
            clock(datetime(month.year, month.month, day, 23, 59, tzinfo=UTC))
            book(account, 1_000_003 * (number + day))
            book(account, -(number + day))
    written = close_due(first_of(2026, 1))
    assert written == 24 * 2  # the other side is an account too
    for one in (account, system_account("issue")):
        statements = of(one)
        assert [s.month for s in statements] == months
        assert (statements[0].opening, statements[0].first_version) == (0, 1)
        for before, after in pairwise(statements):
            assert after.opening == before.closing
            assert after.first_version == before.last_version + 1
        for s in statements:
            assert s.closing == s.opening + s.credits - s.debits
            lines = [line for part in chunks(one, s.first_version, s.last_version) for line in part]
            assert {line.at.date().replace(day=1) for line in lines} <= {s.month}
            assert sum(line.amount for line in lines) == s.closing - s.opening
            assert s.seal.from_version <= s.last_version <= s.seal.to_version
        one.refresh_from_db()
        assert statements[-1].closing == one.posted
        assert verify(one) == []
    empty = of(account)[3]
    assert (empty.credits, empty.debits, empty.last_version) == (0, 0, empty.first_version - 1)
    assert close_due(first_of(2026, 1)) == close_due(datetime(2026, 1, 31, 23, tzinfo=UTC)) == 0
    assert findings() == []
    assert not of(user_account(make_user())), "an account that never had an entry"


@pytest.mark.django_db
def test_the_end_of_a_month_is_in_one_month_only(clock) -> None:
    account = user_account(make_user())
    end = first_of(2024, 2)
    for at, amount in ((end - TICK, 1), (end, 20), (end - TICK, 300), (end + TICK, 4000)):
        clock(at)
        book(account, amount)
    clock(first_of(2024, 3) + TICK)
    book(account, 50_000)
    assert close_due(first_of(2024, 3)) == 4
    # What came in order of booking behind the first of February is February's, with its own time.
    assert [(s.credits, s.first_version, s.last_version) for s in of(account)] == [
        (1, 1, 1),
        (4320, 2, 4),
    ]
    assert running(account).credits == 50_000
    assert close_due(first_of(2024, 4) - TICK) == 0
    # Created in February, and committed after its closing: booked in March.
    clock(first_of(2024, 3) - TICK)
    book(account, 600_000)
    clock(first_of(2024, 4))
    book(account, 7_000_000)
    close_due(first_of(2024, 4))
    assert [s.credits for s in of(account)] == [1, 4320, 650_000]
    assert findings() == []


@pytest.mark.django_db
def test_a_closed_month_never_changes(clock) -> None:
    account = user_account(make_user())
    book(account, 5)
    clock(first_of(2024, 2))
    close_due(first_of(2024, 2))
    closed = MonthlyStatement.objects.filter(account=account).values().get()
    late = book(account, 7, effective_at=START)
    clock(first_of(2024, 3))
    close_due(first_of(2024, 3))
    assert (
        MonthlyStatement.objects.filter(account=account, month=closed["month"]).get().pk
        == (closed["id"])
    )
    assert MonthlyStatement.objects.filter(pk=closed["id"]).values().get() == closed
    february = of(account)[1]
    (line,) = bookings(account, february.first_version, february.last_version, limit=9)
    assert (line.transfer_id, line.effective_at, line.at) == (late.pk, START, first_of(2024, 2))
    assert line.backdated
    with pytest.raises(NotFound):
        statement_of(account, date(2023, 12, 1))
    assert statement_of(account, date(2024, 3, 1)).pk is None
    assert statement_of(account, date(2024, 3, 1)).opening == 12


@pytest.mark.django_db
def test_nothing_to_do_is_one_question_each(clock, django_assert_num_queries) -> None:
    for _number in range(4):
        book(user_account(make_user()), 5)
    clock(first_of(2024, 2))
    close_due(first_of(2024, 2))
    with django_assert_num_queries(1):
        close_due(first_of(2024, 2) + timedelta(days=5))
    with django_assert_num_queries(1):
        seal_due(first_of(2024, 2))


@pytest.mark.django_db
def test_a_statement_changed_by_the_owner_is_found(clock) -> None:
    account = user_account(make_user())
    book(account, 10)
    clock(first_of(2024, 2))
    book(account, 10)
    close_due(first_of(2024, 3))
    connection.check_constraints()
    change = "UPDATE acc_statement SET credits = credits + 1, closing = closing + 1"
    with triggers_off() as cursor:
        cursor.execute(f"{change} WHERE account_id = %s", [account.pk])
    found = " ".join(findings())
    assert "the statement of 2024-01-01 is not what its entries add up to" in found
    assert "the statement of 2024-02-01 does not follow the one before it" in found


@pytest.mark.django_db(transaction=True)
def test_many_workers_close_while_postings_arrive(clock) -> None:
    accounts = [user_account(make_user()) for _ in range(3)]
    for number in range(6):
        clock(datetime(2024, number + 1, 20, tzinfo=UTC))
        for account in accounts:
            book(account, 1000 + number)
    clock(first_of(2024, 7))

    def work() -> None:
        close_due(first_of(2024, 7))
        seal_due(first_of(2024, 7))

    def earn() -> None:
        for _number in range(10):
            for account in accounts:
                book(account, 1)

    with threads(work, work, work, earn, work) as failures:
        pass
    assert failures == []
    assert {len(of(account)) for account in accounts} == {6}
    for account in accounts:
        assert of(account)[-1].closing == 6 * 1000 + 15
        seal(account)
        assert running(account).closing == 6 * 1000 + 25
    assert findings() == []


@pytest.mark.django_db(transaction=True)
def test_closing_waits_for_what_is_being_booked(clock) -> None:
    account = user_account(make_user())
    book(account, 1)
    clock(first_of(2024, 2) - TICK)
    begun = threading.Event()

    def close() -> None:
        begun.set()
        close_due(first_of(2024, 2))

    with transaction.atomic():
        book(account, 20)
        waiting = threads(close)
        failures = waiting.__enter__()
        begun.wait()
        waiting_for = threading.Event().wait(0.3)
        assert not waiting_for
    waiting.__exit__(None, None, None)
    assert failures == []
    assert [s.closing for s in of(account)] == [21]


@contextmanager
def threads(*works: Callable[[], None]) -> Iterator[list[Exception]]:
    """Each in a thread with its own connection; what they raised."""
    failures: list[Exception] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 (told to the test)
            failures.append(error)
        finally:
            connection.close()

    started = [threading.Thread(target=run, args=(work,)) for work in works]
    for one in started:
        one.start()
    yield failures
    for one in started:
        one.join()
