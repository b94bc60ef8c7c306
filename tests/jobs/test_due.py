"""The table of due work: nothing is lost, nobody does the same row at the same time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from common import clock
from jobs import due
from jobs.models import Due
from tests.factories import make_provider, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch):
    """Moves the clock."""
    real = clock.now

    def move(**by: float) -> None:
        moment = real() + timedelta(**by)
        for module in ("jobs.due", "tests.jobs.test_due"):
            monkeypatch.setattr(f"{module}.now", lambda: moment, raising=False)

    return move


def test_a_row_is_claimed_once_and_again_when_the_lease_runs_out(later) -> None:
    due.schedule(kind="send", subject="1")
    first = due.claim(owner="a")
    assert first is not None
    assert due.claim(owner="b") is None
    later(seconds=settings.DUE_LEASE_SECONDS + 1)
    second = due.claim(owner="b")
    assert second is not None
    assert second.attempts == 2
    assert not due.done(first)  # the lease is not its own any more
    assert due.done(second)
    assert due.claim(owner="c") is None


def test_the_earliest_is_first_and_what_is_not_due_waits() -> None:
    due.schedule(kind="poll", subject="later", at=clock.now() + timedelta(hours=1))
    due.schedule(kind="poll", subject="second", at=clock.now() - timedelta(seconds=1))
    due.schedule(kind="poll", subject="first", at=clock.now() - timedelta(seconds=9))
    claimed = [row.subject for row in iter(lambda: due.claim(owner="a"), None)]
    assert claimed == ["first", "second"]


def test_scheduled_twice_it_is_one_row_at_the_earlier_time() -> None:
    early = clock.now() + timedelta(minutes=1)
    due.schedule(kind="poll", subject="1", at=early + timedelta(hours=1))
    due.schedule(kind="poll", subject="1", at=early)
    due.schedule(kind="poll", subject="1", at=early + timedelta(hours=2))
    assert Due.objects.get().due_at == early


def test_what_is_asked_for_while_a_worker_has_it_is_done_once_more() -> None:
    due.schedule(kind="publish", subject="1")
    row = due.claim(owner="a")
    assert row is not None
    due.schedule(kind="publish", subject="1")
    assert not due.done(row)
    again = due.claim(owner="b")
    assert again is not None
    assert due.done(again)


def test_a_crowded_lane_does_not_hold_up_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PROVIDER_CONCURRENCY", 1)
    slow = make_provider(make_user(), max_connections=2)
    for number in range(4):
        due.schedule(kind="poll", subject=f"slow{number}", lane=due.lane(slow.pk))
        due.schedule(kind="copy", subject=f"other{number}", lane="nobody's")
    due.schedule(kind="mail", subject="free")
    claimed = [row.subject for row in iter(lambda: due.claim(owner="a"), None)]
    assert sorted(claimed) == ["free", "other0", "slow0", "slow1"]
    assert due.claim(owner="a", work=("poll", "slow2")) is None
    Due.objects.filter(subject="slow0").update(lease_until=None, done_at=clock.now())
    assert due.claim(owner="a", work=("poll", "slow3")) is not None
    assert due.claim(owner="a", work=("poll", "no such")) is None


def test_several_are_claimed_at_once_the_first_of_each_lane() -> None:
    start = clock.now() - timedelta(seconds=100)
    for place, lane in enumerate(("", "a", "b")):
        for number in range(3):
            at = start + timedelta(seconds=10 * number + place)
            due.schedule(kind="poll", subject=f"{lane}{number}", lane=lane, at=at)
    assert [row.subject for row in due.claim_many(owner="w", most=2)] == ["0", "a0"]
    assert [row.subject for row in due.claim_many(owner="w", most=5)] == ["b0", "1", "a1"]
    taken = Due.objects.exclude(lease_until=None)
    assert set(taken.values_list("lease_owner", "attempts")) == {("w", 1)}
    assert taken.count() == 5
    due.analyze()  # only says something to the database
    assert due.claim(owner="w") is not None


def test_to_schedule_and_to_claim_take_the_same_queries_however_much_waits() -> None:
    Due.objects.bulk_create(
        Due(kind="poll", subject=str(n), lane=f"provider:{n % 50}", due_at=clock.now())
        for n in range(2000)
    )
    with CaptureQueriesContext(connection) as queries:
        due.schedule(kind="send", subject="new", lane="provider:3")
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        assert len(due.claim_many(owner="w", most=8)) == 8
    assert len(queries) == 1


def test_a_broken_step_waits_longer_each_time_and_is_parked_in_the_end(later) -> None:
    due.schedule(kind="publish", subject="1")
    waits = []
    for attempt in range(due.MOST_FAILURES):
        later(hours=2 * (attempt + 1))
        row = due.claim(owner="a")
        assert row is not None
        before = due.now()
        due.failed(row, error="boom")
        waits.append((Due.objects.get().due_at - before).total_seconds())
    assert waits[5] > waits[0]
    assert max(waits) <= 3600 * 1.2
    assert Due.objects.get().parked_at is not None
    later(hours=1000)
    assert due.claim(owner="a") is None
    due.schedule(kind="publish", subject="1")  # asked for again: taken up again
    assert due.claim(owner="a") is not None


def test_a_rolled_back_change_leaves_no_work() -> None:
    with transaction.atomic():
        due.schedule(kind="send", subject="1")
        transaction.set_rollback(True)
    assert not Due.objects.exists()
