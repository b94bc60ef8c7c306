"""Why a job waits, for whom, and what ends one that does not end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounting.check import findings
from accounting.models import JobBill
from common.clock import now
from jobs import following
from jobs.models import Due, Job
from jobs.selectors import why_waiting
from providers.models import MaintenanceWindow
from tests.factories import World, make_user
from tests.fakes.wps_server import FakeWps, Reply
from tests.jobs.conftest import Drain
from tests.jobs.test_lifecycle import run

pytestmark = pytest.mark.django_db


def fresh(job: Job) -> Job:
    return Job.objects.select_related("service__provider").get(pk=job.pk)


def limit(world: World, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(world.provider, name, value)
    world.provider.save()


def test_nothing_is_sent_during_maintenance_and_what_runs_is_followed(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    wps.hold = True
    before = run(world)
    drain(ahead=1, most=3)
    assert fresh(before).state in ("ACCEPTED", "IN_PRODUCTION")
    window = MaintenanceWindow.objects.create(
        provider=world.provider,
        starts_at=now() - timedelta(minutes=1),
        ends_at=now() + timedelta(hours=1),
        note="New disks.",
        created_by=world.operator,
    )
    waiting = run(world)
    drain(most=8)
    assert (fresh(waiting).state, fresh(waiting).attempts) == ("SUBMITTED", 0)
    assert len(wps.executes) == 1
    assert "New disks." in why_waiting(fresh(waiting))
    wps.hold = False
    drain(most=8)
    assert fresh(before).state == "COMPLETED"
    window.delete()
    drain()
    assert fresh(waiting).state == "COMPLETED"


def test_one_user_has_only_so_many_there_and_others_go_first(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    limit(world, max_running_jobs_per_user=1)
    wps.hold = True
    other = make_user()
    world.group.memberships.create(user=other)
    first, second, third = run(world), run(world), run(world, actor=other)
    drain(ahead=1, most=12)
    assert [fresh(j).state == "SUBMITTED" for j in (first, second, third)] == [False, True, False]
    assert "1 job" in why_waiting(fresh(second)) or "as many as" in why_waiting(fresh(second))
    wps.hold = False
    drain()
    assert {fresh(j).state for j in (first, second, third)} == {"COMPLETED"}


def test_a_free_place_goes_to_who_waits_longest(world: World, wps: FakeWps, drain: Drain) -> None:
    limit(world, max_running_jobs=1)
    wps.hold = True
    jobs = [run(world) for _ in range(3)]
    drain(ahead=1, most=8)
    assert [j.state for j in map(fresh, jobs)].count("SUBMITTED") == 2
    running = next(j for j in map(fresh, jobs) if j.state != "SUBMITTED")
    assert running == jobs[0]
    assert "1 job was there first" in why_waiting(fresh(jobs[2])).replace(
        "2 jobs were", "1 job was"
    )
    Due.objects.filter(kind="send", done_at=None).update(due_at=now() + timedelta(hours=9))
    wps.hold = False
    drain(ahead=60)
    assert fresh(jobs[0]).state == "COMPLETED"
    assert fresh(jobs[1]).state != "SUBMITTED"


def test_a_cut_status_document_is_read_again_before_it_is_judged(
    world: World, wps: FakeWps, drain: Drain, monkeypatch: Any
) -> None:
    monkeypatch.setattr(following, "BETWEEN_READINGS", 0)
    job = run(world)
    wps.reply("status", Reply(200, b"<wps:ExecuteResponse "), times=2)
    drain()
    job = fresh(job)
    assert job.state == "COMPLETED"
    assert not job.events.filter(reason="provider_nonsense").exists()


def test_what_stays_nonsense_for_a_day_is_given_up_and_nothing_stays_held(
    world: World, wps: FakeWps, drain: Drain, monkeypatch: Any
) -> None:
    monkeypatch.setattr(following, "BETWEEN_READINGS", 0)
    job = run(world)
    wps.reply("status", Reply(200, b"<html>sorry</html>"), times=None)
    drain(most=6)
    assert fresh(job).unreachable_since
    Job.objects.filter(pk=job.pk).update(unreachable_since=now() - timedelta(hours=25))
    drain(most=6)
    assert (fresh(job).state, fresh(job).events.last().reason) == ("FAILED", "lost")  # type: ignore[union-attr]
    assert findings() == []


def test_what_does_not_end_is_given_up_at_its_deadline(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    wps.hold = True
    job = run(world)
    drain(most=4)
    Job.objects.filter(pk=job.pk).update(sent_at=now() - timedelta(days=31))
    drain(most=4)
    job = fresh(job)
    assert (job.state, job.events.last().reason) == ("FAILED", "deadline")  # type: ignore[union-attr]
    assert JobBill.objects.get(pk=job.pk).state not in ("OPEN",)
    assert findings() == []


def test_the_real_end_of_a_dismissed_job_is_learnt_and_changes_nothing(
    world: World, wps: FakeWps, drain: Drain
) -> None:
    from jobs.lifecycle import dismiss

    wps.hold = True
    job = run(world)
    drain(ahead=1, most=4)
    dismiss(actor=world.researcher, job=fresh(job))
    drain(most=6)
    assert fresh(job).state == "CANCELLED"
    wps.hold = False
    drain()
    job = fresh(job)
    assert job.state == "CANCELLED"
    assert not job.outputs.exists()
    last = job.events.get(reason="ended_at_provider")
    assert last.word == "ProcessSucceeded"
    assert not Due.objects.filter(kind="aftermath", done_at=None).exists()
