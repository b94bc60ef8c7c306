"""Many running jobs: what looks at them cost, and what is left when a worker dies between."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.clock import now
from jobs import due, looks, worker
from jobs.lifecycle import dismiss, submit
from jobs.looks import Look
from jobs.models import Due, Job
from jobs.states import RUNNING, State
from jobs.worker import Worker, run_one
from tests.factories import World
from tests.fakes.wps_server import FakeWps

pytestmark = pytest.mark.django_db
Found = list[tuple[Due, Look]]


@pytest.fixture
def running(world: World, wps: FakeWps) -> Callable[[int], list[Job]]:
    """So many more jobs that their provider goes on with, looked at once and due again now."""
    wps.hold = True

    def start(number: int) -> list[Job]:
        type(world.provider).objects.update(max_connections=100)
        for _ in range(number):
            submit(
                actor=world.researcher,
                service=world.service,
                inputs=world.message("hello"),
                account=world.account,
                door="web",
            )
        for _send_and_first_look in range(2):
            while run_one(owner="test"):
                pass
            for one in wps.jobs.values():
                one.state, one.percent = "started", 20
            Due.objects.filter(kind="poll", done_at=None).update(due_at=now())
        return list(Job.objects.filter(state__in=RUNNING))

    return start


def looked() -> Found:
    found: Found = []
    while row := due.claim(owner="test"):
        worker.do(row, lambda row, look: found.append((row, look)))
    return found


def test_looks_that_find_nothing_new_read_once_each_and_are_written_together(running) -> None:
    def statements(number: int) -> int:
        running(number)
        row = due.claim(owner="test")
        assert row is not None
        with CaptureQueriesContext(connection) as queries:
            found: Found = []
            worker.do(row, lambda row, look: found.append((row, look)))
        assert len(found) == len(queries) == 1
        found += looked()
        with CaptureQueriesContext(connection) as queries:
            looks.write(found)
        assert Job.objects.filter(checked_at=found[-1][1].checked_at).count() == 1
        assert not Due.objects.filter(kind="poll", due_at__lte=now()).exists()
        return len(queries)

    assert statements(1) == statements(4)


def test_what_was_not_written_is_looked_at_again(running, monkeypatch) -> None:
    (job,) = running(1)
    assert len(looked()) == 1  # and then the worker dies
    assert due.claim(owner="other") is None
    monkeypatch.setattr(settings, "DUE_LEASE_SECONDS", 0)
    Due.objects.filter(kind="poll").update(lease_until=now())
    assert run_one(owner="other")
    before, job = job.checked_at, Job.objects.get()
    assert job.checked_at > before


def test_a_look_that_is_written_late_changes_nothing_of_what_happened_since(
    world: World, running
) -> None:
    (job,) = running(1)
    found = looked()
    dismiss(actor=world.researcher, job=job)
    Due.objects.filter(kind="poll").update(lease_owner="other", due_at=now())
    looks.write(found)
    assert Job.objects.get().state == State.CANCELLING
    assert Due.objects.get(kind="poll").lease_until is not None  # the other's


def test_progress_is_told_at_once(running, wps: FakeWps) -> None:
    (job,) = running(1)
    events = job.events.count()
    for one in wps.jobs.values():
        one.percent, one.message = 77, "Nearly"
    assert looked() == []
    job = Job.objects.get()
    assert (job.percent, job.message) == (77, "Nearly")
    assert job.events.count() == events + 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_stops_leaves_nothing_claimed_and_nothing_unwritten(running, wps) -> None:
    jobs = running(4)
    asked = len(wps.requests("status"))
    busy = Worker(threads=2)
    busy.start()
    end = time.monotonic() + 20
    while len(wps.requests("status")) < asked + len(jobs) and time.monotonic() < end:
        time.sleep(0.02)
    busy.stop()
    assert not Due.objects.filter(lease_until__isnull=False, done_at=None).exists()
    for before in jobs:
        assert Job.objects.get(pk=before.pk).checked_at > before.checked_at
