"""Runs of the portal's own process: at their end inside the request that asks for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounting.accounts import user_account
from accounting.models import BillState, JobBill, Unit
from accounting.prices.price_lists import RateSpec, publish_default
from common.clock import now
from common.errors import RateLimited
from jobs import worker
from jobs.lifecycle import dismiss, submit
from jobs.models import Due, Job
from jobs.outputs import inline_bytes
from jobs.states import State
from providers.models import Service
from providers.process import ComplexValue, InputValue, LiteralValue
from tests.factories import World
from tests.jobs.conftest import Drain

TEXT = LiteralValue("literal", "hello")


def echo(world: World, *inputs: InputValue, **more: Any) -> Job:
    service = Service.objects.select_related("provider", "current").get(provider__slug="portal")
    return submit(
        actor=world.stranger,
        service=service,
        inputs=inputs or (TEXT,),
        account=user_account(world.stranger),
        door="wps",
        **more,
    )


def test_a_run_is_at_its_end_and_free_when_submit_returns(world: World) -> None:
    publish_default(actor=world.operator, rates={(0, 0, Unit.JOB): RateSpec(price=1_000_000)})
    job = echo(world, ceiling=5_000_000)
    assert job.state == State.COMPLETED
    assert [output.value for output in job.outputs.all()] == [
        LiteralValue("literal", "hello", "string")
    ]
    bill = JobBill.objects.get()
    assert (bill.state, bill.limit_amount, job.quote.total) == (BillState.FREE, 0, 0)
    assert not Due.objects.filter(done_at=None).exists()
    assert echo(world, idempotency_key="k") == echo(world, idempotency_key="k")
    assert Job.objects.count() == 2


def test_the_size_of_a_file_is_that_of_its_bytes(world: World) -> None:
    """Not of the base64 that it came in."""
    job = echo(world, ComplexValue("complex", "iVBORw0KGgo=", "image/png", "base64"))
    output = job.outputs.get()
    assert inline_bytes(output) == b"\x89PNG\r\n\x1a\n"
    assert output.size == 8


def test_nobody_fills_the_database_with_free_runs(world: World, settings: Any) -> None:
    settings.FREE_RUNS_PER_HOUR = 2
    kept = echo(world, idempotency_key="k")
    echo(world)
    with pytest.raises(RateLimited):
        echo(world)
    assert echo(world, idempotency_key="k") == kept  # nothing new
    Job.objects.filter(pk=kept.pk).update(created_at=now() - timedelta(hours=2))
    assert echo(world).state == State.COMPLETED


def test_a_refusal_is_the_jobs_end(world: World) -> None:
    job = echo(world, LiteralValue("pause", "1"))
    assert (job.state, job.error != "") == (State.SUBMIT_REJECTED, True)


def test_a_pause_is_followed_by_the_worker(
    world: World, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = echo(world, TEXT, LiteralValue("pause", "20"))
    assert job.state == State.IN_PRODUCTION
    monkeypatch.setattr("providers.drivers.echo.now", lambda: now().replace(year=2100))
    assert drain() >= 1
    job.refresh_from_db()
    assert job.state == State.COMPLETED


def test_a_pause_can_be_dismissed(world: World, drain: Drain) -> None:
    job = echo(world, TEXT, LiteralValue("pause", "60"))
    dismiss(actor=world.stranger, job=job)
    drain(most=5)
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_a_process_that_dies_on_the_way_loses_nothing(
    world: World, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(_row: Due) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setitem(worker.STEPS, "send", die)
        with pytest.raises(Killed):
            echo(world)
    job = Job.objects.get()
    row = Due.objects.get(kind="send", subject=str(job.pk), done_at=None)
    assert job.state == State.SUBMITTED
    assert row.lease_until is not None  # nobody else has it before the lease has run out
    assert not worker.send_now(job)
    Due.objects.update(lease_until=now())
    drain()
    job.refresh_from_db()
    assert job.state == State.COMPLETED
