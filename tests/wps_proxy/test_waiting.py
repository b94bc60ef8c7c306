"""Whoever waits for a run hands it over: no worker is needed, and none does it a second time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.clock import now
from common.crypto import encrypt
from jobs import due, sending, worker
from jobs.models import Due, Job
from jobs.states import State
from providers.models import MaintenanceWindow, Provider
from tests.factories import World, make_user
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.conftest import ALL_KINDS, GEOJSON, GML, TIFF, Door, only_job, work
from wps_proxy import execute

MOST_QUERIES = 35  # of one run from its request to its answer, all of accounting with it


@pytest.fixture
def world(db: None, wps: FakeWps) -> World:
    """A provider whose process only runs while its caller waits."""
    secrets = {"username": "portal", "secret": encrypt("provider-secret")}
    process = replace(ALL_KINDS, store_supported=False, status_supported=False)
    wps.add(process, lambda _: {"mean": "41.7", "change": TIFF, "zones": GEOJSON, "shape": GML})
    return World(url=wps.url, description=process, provider_fields=secrets)


@pytest.fixture(autouse=True)
def nobody_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_long(_seconds: float) -> None:
        raise AssertionError("the job is not at its end")

    monkeypatch.setattr(execute, "sleep", too_long)


def test_a_run_needs_no_worker(door: Door, wps: FakeWps) -> None:
    response = door.execute()
    assert b"ProcessSucceeded" in response.body
    assert only_job().state == State.COMPLETED
    assert len(wps.executes) == 1
    assert not Due.objects.filter(kind="send", done_at=None).exists()
    work()
    assert len(wps.executes) == 1


def test_who_does_not_wait_leaves_it_to_the_workers(door: Door, wps: FakeWps) -> None:
    door.execute(storeExecuteResponse="true", status="true")
    assert not wps.executes
    assert only_job().state == State.SUBMITTED


def test_a_job_that_a_worker_has_in_hand_is_not_taken(
    door: Door, wps: FakeWps, monkeypatch: pytest.MonkeyPatch
) -> None:
    Provider.objects.update(max_running_jobs=5)  # whose jobs are claimed, and then looked at
    in_hand = []

    def after_a_worker(job: Job) -> bool:
        in_hand.append(due.claim(owner="a worker", work=("send", job.pk)))
        return worker.send_now(job)

    def meanwhile(_seconds: float) -> None:
        assert not wps.executes
        worker.do(in_hand[0])

    monkeypatch.setattr(execute, "send_now", after_a_worker)
    monkeypatch.setattr(execute, "sleep", meanwhile)
    assert b"ProcessSucceeded" in door.execute().body
    assert len(wps.executes) == 1
    assert Due.objects.get(kind="send").lease_owner == "a worker"


class Killed(BaseException):
    """The process dies."""


def test_who_dies_before_the_answer_sent_it_or_did_not_and_nobody_sends_it_again(
    door: Door, wps: FakeWps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_job: Job, _row: Due) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sending, "hand_over", die)
        with pytest.raises(Killed):
            door.execute()
    job, row = only_job(), Due.objects.get(kind="send")
    assert job.state == State.SUBMITTING
    assert job.sent_at is not None
    assert job.quote.bill.hold_id
    assert [event.number for event in job.events.order_by("number")] == [1, 2, 3]
    assert row.lease_until is not None
    assert not worker.run_one(owner="another")  # nobody else has it before the lease has run out
    Due.objects.update(lease_until=now())
    worker.run_one(owner="another")
    job.refresh_from_db()
    assert job.outcome_unknown
    assert not wps.executes


@pytest.mark.parametrize("field", ["max_running_jobs", "max_running_jobs_per_user"])
def test_who_waits_for_a_provider_with_limits_hands_it_over_all_the_same(
    door: Door, wps: FakeWps, field: str
) -> None:
    Provider.objects.update(**{field: 1})
    assert b"ProcessSucceeded" in door.execute().body
    assert len(wps.executes) == 1


def test_in_maintenance_nothing_is_sent(
    door: Door, wps: FakeWps, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    MaintenanceWindow.objects.create(
        provider=world.provider,
        starts_at=moment,
        ends_at=moment + timedelta(hours=1),
        created_by=make_user(),
    )
    monkeypatch.setattr(execute, "monotonic", count(step=1000).__next__)
    assert b"ProcessAccepted" in door.execute().body
    assert not wps.executes
    assert only_job().state == State.SUBMITTED


def test_a_run_takes_as_many_queries_however_many_went_before(
    door: Door, wps: FakeWps, world: World
) -> None:
    counts = []
    for _ in range(5):
        with CaptureQueriesContext(connection) as queries:
            door.execute()
        counts.append(len(queries))
    assert counts[1:] == counts[1:2] * 4
    assert counts[1] <= MOST_QUERIES
    assert Job.objects.count() == 5
