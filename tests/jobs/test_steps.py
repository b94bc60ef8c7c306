"""What the worker does with a job, against a real HTTP provider of any behaviour."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounting.check import findings
from accounting.models import BillState, JobBill
from accounting.usage.importer import import_message
from jobs import periodic, sending
from jobs.lifecycle import dismiss, submit
from jobs.models import Due, Job
from jobs.states import State
from jobs.usage_senders import sender_of
from jobs.worker import run_one
from tests.factories import CREDIT, World
from tests.fakes.wps_server import FakeWps, Reply
from tests.jobs.conftest import Drain

pytestmark = pytest.mark.django_db


def start(world: World, text: str = "hello") -> Job:
    return submit(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(text),
        account=world.account,
        door="web",
    )


def fresh(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def usage_message(world: World, job: Job) -> bytes:
    return (
        "APEL-individual-job-message: v0.3\n"
        f"Site: {world.provider.usage_site}\nSubmitHost: wps\nLocalJobId: {job.pk}\n"
        "WallDuration: 30\nCpuDuration: 20\nProcessors: 1\n"
        "StartTime: 1767225600\nEndTime: 1767225630\n%%\n"
    ).encode()


def report_usage(world: World, job: Job) -> None:
    import_message(
        usage_message(world, job), source="test", signer="", sender=sender_of(world.provider)
    )


def balance(world: World) -> tuple[int, int]:
    world.account.refresh_from_db()
    return world.account.posted, world.account.held


def test_a_job_runs_to_its_end_and_is_charged_by_its_usage_record(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    wps.polls = 2
    job = start(world)
    drain()
    job = fresh(job)
    assert job.state == State.COMPLETED
    assert job.outputs.get().document["value"] == "hello"
    (sent,) = wps.executes
    assert sent.headers["x-remote-ref"] == str(job.pk)
    assert balance(world) == (10 * CREDIT, 2 * CREDIT)
    report_usage(world, job)
    report_usage(world, job)
    assert balance(world) == (8 * CREDIT, 0)
    assert JobBill.objects.get(pk=job.pk).state == BillState.CHARGED
    words = list(job.events.exclude(word="").values_list("word", flat=True))
    assert words[-1] == "ProcessSucceeded"
    assert findings() == []


def test_a_failed_job_keeps_the_providers_message_and_gives_the_credit_back(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    wps.failure = "The scene has no such date."
    job = start(world)
    drain()
    job = fresh(job)
    assert job.state == State.FAILED
    assert "The scene has no such date." in job.error
    assert balance(world) == (10 * CREDIT, 0)
    report_usage(world, job)
    assert balance(world) == (10 * CREDIT, 0)
    assert findings() == []


def test_a_provider_that_is_away_is_tried_again_and_the_job_is_sent_once(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    wps.stop()
    job = start(world)
    drain(most=3)
    waiting = fresh(job)
    assert waiting.state == State.SUBMITTING
    assert waiting.sent_at is None
    assert waiting.unreachable_since is not None
    assert balance(world) == (10 * CREDIT, 2 * CREDIT)
    wps.start()
    drain()
    assert fresh(job).state == State.COMPLETED
    assert len(wps.executes) == 1


def test_a_provider_that_stays_away_ends_the_job_after_its_policy(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    type(world.provider).objects.update(retry_attempts=3)
    wps.stop()
    job = start(world)
    drain()
    assert fresh(job).state == State.SUBMIT_FAILED
    assert balance(world) == (10 * CREDIT, 0)


def test_an_answer_that_is_lost_leaves_the_outcome_unknown_and_nothing_is_sent_again(
    world: World, wps: FakeWps, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    wps.reply("Execute", Reply(hang_up=True, after=True))
    job = start(world)
    drain(ahead=600, most=8)
    job = fresh(job)
    assert job.state == State.SUBMITTING
    assert job.outcome_unknown
    assert len(wps.executes) == 1
    assert balance(world) == (10 * CREDIT, 2 * CREDIT)
    moment = sending.now()
    monkeypatch.setattr(sending, "now", lambda: moment + timedelta(days=2))
    drain(ahead=10**6)
    assert fresh(job).state == State.SUBMIT_FAILED
    assert balance(world) == (10 * CREDIT, 0)
    assert len(wps.executes) == 1
    assert findings() == []


def test_a_lost_answer_is_found_again_where_the_provider_can_look_it_up(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    type(world.provider).objects.update(lookup_url=wps.lookup_url)
    wps.reply("Execute", Reply(hang_up=True, after=True))
    job = start(world)
    drain()
    assert fresh(job).state == State.COMPLETED
    assert len(wps.executes) == 1


def test_a_request_that_surely_never_arrived_is_sent_after_the_grace(
    world: World, wps: FakeWps, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker died between writing `sent_at` and sending: the look-up knows nothing of it."""
    type(world.provider).objects.update(lookup_url=wps.lookup_url)
    job = start(world)
    died = sending.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(state=State.SUBMITTING, sent_at=died, attempts=1)
    drain(most=3)
    assert wps.executes == []
    monkeypatch.setattr(sending, "LOOKUP_GRACE", timedelta(0))
    drain()
    assert fresh(job).state == State.COMPLETED
    assert len(wps.executes) == 1


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(200, b"<html><body>Welcome</body></html>"), State.SUBMIT_REJECTED),
        (Reply(200, b"\x00\x01 not xml"), State.SUBMIT_REJECTED),
        (Reply(200, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), State.SUBMIT_REJECTED),
        (Reply(404, b"no such page"), State.SUBMIT_REJECTED),
    ],
)
def test_a_nonsensical_answer_ends_the_job_with_a_clear_error(
    world: World, wps: FakeWps, drain: Drain, reply: Reply, state: State
) -> None:
    wps.reply("Execute", reply, times=None)
    job = start(world)
    drain()
    job = fresh(job)
    assert job.state == state
    assert job.error
    assert "127.0.0.1" not in job.error
    assert len(wps.executes) == 1
    assert balance(world) == (10 * CREDIT, 0)


def test_status_trouble_does_not_end_a_job(world: World, wps: FakeWps, drain: Drain) -> None:
    job = start(world)
    run_until_accepted(job)
    wps.reply("status", Reply(500, b"oops"), times=3)
    drain(most=2)
    assert fresh(job).unreachable_since is not None
    drain()
    assert fresh(job).state == State.COMPLETED


def run_until_accepted(job: Job) -> None:
    while fresh(job).state in (State.SUBMITTED, State.SUBMITTING):
        assert run_one(owner="test")


def test_a_job_that_the_provider_forgot_fails_after_a_day(
    world: World, wps: FakeWps, drain: Drain, settings: Any
) -> None:
    job = start(world)
    run_until_accepted(job)
    wps.reply("status", Reply(404, b"gone"), times=None)
    drain(most=3)
    assert fresh(job).state == State.ACCEPTED
    settings.LOST_SECONDS = 0
    drain()
    assert fresh(job).state == State.FAILED
    assert balance(world) == (10 * CREDIT, 0)


def test_dismissed_at_the_provider_the_job_ends_and_the_credit_comes_back(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    wps.hold = True
    job = start(world)
    run_until_accepted(job)
    dismiss(actor=world.researcher, job=job)
    assert fresh(job).state == State.CANCELLING
    drain(most=5)
    assert fresh(job).state == State.CANCELLED
    assert balance(world) == (10 * CREDIT, 0)
    wps.hold = False
    drain()
    assert fresh(job).state == State.CANCELLED
    report_usage(world, job)
    assert balance(world) == (10 * CREDIT, 0)
    assert findings() == []


def test_a_provider_gets_no_more_jobs_at_once_than_it_takes(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    type(world.provider).objects.update(max_running_jobs=2)
    wps.hold = True
    jobs = [start(world, str(number)) for number in range(4)]
    drain(most=30)
    assert len(wps.executes) == 2
    wps.hold = False
    drain(most=80)
    assert [fresh(job).state for job in jobs] == [State.COMPLETED] * 4
    assert len(wps.executes) == 4


def test_every_unfinished_job_has_its_row_of_due_work(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    """Even if all rows were lost, the sweep writes them anew."""
    wps.hold = True
    running, waiting = start(world), start(world)
    run_until_accepted(running)
    Due.objects.all().delete()
    assert periodic.recover() == 2
    assert periodic.recover() == 0
    wps.hold = False
    drain()
    assert fresh(running).state == fresh(waiting).state == State.COMPLETED
    assert len(wps.executes) == 2


def test_status_address_on_another_host_is_never_called(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    with FakeWps() as other:
        job = start(world)
        run_until_accepted(job)
        elsewhere = other.base.replace("127.0.0.1", "localhost")
        Job.objects.filter(pk=job.pk).update(remote_handle=f"{elsewhere}/status/job-1.xml")
        drain(most=4)
        assert other.received == []
        assert fresh(job).unreachable_since is not None


def test_dismissed_while_it_was_on_its_way_the_provider_is_told_when_it_answers(
    world: World, wps: FakeWps, monkeypatch: pytest.MonkeyPatch, drain: Drain
) -> None:
    asked: list[str] = []
    driver = type(sending.driver_for(world.provider))
    monkeypatch.setattr(driver, "dismiss", lambda _self, _end, handle: bool(asked.append(handle)))
    real = driver.submit

    def submit_and_dismiss(self: object, *arguments: object) -> object:
        answer = real(self, *arguments)
        dismiss(actor=world.researcher, job=job)
        return answer

    monkeypatch.setattr(driver, "submit", submit_and_dismiss)
    wps.hold = True
    job = start(world)
    drain(most=10)
    assert fresh(job).state == State.CANCELLED
    assert len(asked) == 1
    assert balance(world) == (10 * CREDIT, 0)
    assert findings() == []
