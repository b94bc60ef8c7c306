"""Addresses that are told how a job goes on: which are taken, what they are told, and when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.clock import now
from common.errors import Conflict, InvalidInput
from jobs.callbacks import secret_of
from jobs.lifecycle import submit
from jobs.messages import results_of
from jobs.models import CallbackState, Job
from jobs.transitions import apply
from people.models import Mail
from providers.ports import RemoteState, RemoteStatus
from providers.process import ComplexValue
from tests.factories import World
from tests.fakes.http_server import Reply, ScriptedServer
from tests.fakes.wps_server import FakeWps
from tests.jobs.conftest import Drain

pytestmark = pytest.mark.django_db
HOOK = "http://127.0.0.1:18790/done"


def run(world: World, *callbacks: tuple[str, str], key: str | None = None) -> Job:
    return submit(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(),
        account=world.account,
        door="ogcapi",
        callbacks=callbacks,
        idempotency_key=key,
        raw=True,
    )


def test_what_is_to_be_told_is_kept_with_the_job(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1:18790"]
    job = run(World(), ("success", HOOK), ("failed", HOOK), ("success", HOOK))
    assert sorted(job.callbacks.values_list("event", "url")) == [
        ("failed", HOOK),
        ("success", HOOK),
    ]
    assert job.raw


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:18790/done",
        "https://localhost/done",
        "https://10.0.0.1/done",
        "https://[::ffff:10.0.0.1]/done",
        "ftp://example.org/done",
        "https://user:secret@example.org/done",
        "nonsense",
    ],
)
def test_an_address_inside_is_refused_and_there_is_no_job(url: str, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = []
    world = World()
    with pytest.raises(InvalidInput) as caught:
        run(world, ("success", url))
    assert caught.value.locator == "success"
    assert not Job.objects.exists()


def test_an_event_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        run(World(), ("finished", "https://93.184.215.14/"))
    assert caught.value.locator == "finished"


def test_the_same_key_with_another_address_is_another_request(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1:18790"]
    world = World()
    first = run(world, ("success", HOOK), key="k")
    assert run(world, ("success", HOOK), key="k") == first
    with pytest.raises(Conflict):
        run(world, ("success", HOOK + "?2"), key="k")


@pytest.mark.parametrize(("wish", "taken"), [(0, 2), (90, 90), (86400, 600)])
def test_the_providers_wish_for_the_next_question_is_followed_within_limits(
    wish: float, taken: float
) -> None:
    job = run(World())
    said = RemoteStatus(
        RemoteState.RUNNING,
        "wps",
        "ProcessStarted",
        handle="h",
        next_poll=now() + timedelta(seconds=wish),
    )
    job.state = "SUBMITTING"
    job.save()
    job = apply(job.pk, said, actor="test")
    assert job.next_poll_at is not None
    assert abs((job.next_poll_at - now()).total_seconds() - taken) < 1


def test_until_when_results_are_kept_is_the_providers_word_or_its_usual_time() -> None:
    world = World()
    world.service.provider.results_kept_days = 3
    world.service.provider.save()
    soon = now() + timedelta(hours=2)
    for said, expected in ((soon, soon), (None, now() + timedelta(days=3))):
        job = run(world)
        job.state = "SUBMITTING"
        job.save()
        end = RemoteStatus(RemoteState.SUCCEEDED, "wps", "ProcessSucceeded", expires_at=said)
        job = apply(job.pk, end, actor="test")
        assert job.results_expire_at is not None
        assert abs(job.results_expire_at - expected) < timedelta(seconds=5)


@pytest.fixture
def hook() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def ended(world: World, hook: ScriptedServer, drain: Drain, *events: str, **more: Any) -> Job:
    job = submit(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(),
        account=world.account,
        door="rest",
        callbacks=[(event, f"{hook.base}/{event}") for event in events],
        **more,
    )
    drain()
    job.refresh_from_db()
    return job


def test_the_end_is_told_once_and_signed_so_that_the_receiver_can_check_it(
    world: World, hook: ScriptedServer, drain: Drain
) -> None:
    hook.reply("any", Reply(204), times=None)
    job = ended(world, hook, drain, "success", "failed", "inProgress")
    told = {r.path: r for r in hook.received}
    assert set(told) == {"/success", "/inProgress"}
    assert len([r for r in hook.received if r.path == "/success"]) == 1
    success = told["/success"]
    assert json.loads(success.body) == {"message": "hello"}
    assert success.headers["x-tep-job"] == str(job.pk)
    progress = json.loads(told["/inProgress"].body)
    assert (progress["jobID"], progress["status"]) == (str(job.pk), "running")
    secret = secret_of(world.researcher)
    receiver = documented_check()
    header = success.headers["x-tep-signature"]
    assert receiver(secret, header, success.body)
    assert not receiver(secret, header, success.body + b" ")
    assert not receiver(secret_of(world.stranger), header, success.body)
    late = header.replace("t=", "t=1")
    assert not receiver(secret, late, success.body)
    assert job.callbacks.get(event="success").state == CallbackState.DELIVERED
    assert job.callbacks.get(event="failed").state == CallbackState.WAITING


def documented_check() -> Any:
    """The receiver's side as docs/callbacks.md shows it."""
    text = (Path(__file__).parents[2] / "docs" / "callbacks.md").read_text()
    code = text.split("```python\n", 1)[1].split("```", 1)[0]
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 (our own documentation)
    return names["is_from_the_portal"]


def test_a_receiver_that_is_away_is_told_later_and_in_the_end_given_up(
    world: World, hook: ScriptedServer, drain: Drain
) -> None:
    hook.reply("any", Reply(500), times=2)
    hook.reply("any", Reply(200))
    job = ended(world, hook, drain, "success")
    drain(ahead=86400)
    callback = job.callbacks.get()
    assert (callback.state, len(hook.received)) == (CallbackState.DELIVERED, 3)
    hook.reply("any", Reply(500), times=None)
    second = ended(world, hook, drain, "success")
    drain(ahead=86400)
    callback = second.callbacks.get()
    assert (callback.state, callback.attempts) == (CallbackState.GIVEN_UP, 12)
    assert "500" in callback.last_error


def test_a_receiver_that_leads_elsewhere_is_not_followed(
    world: World, hook: ScriptedServer, drain: Drain
) -> None:
    hook.reply("any", Reply(302, headers={"Location": "http://127.0.0.1:9/"}), times=None)
    job = ended(world, hook, drain, "success")
    assert job.callbacks.get().state in (CallbackState.WAITING, CallbackState.GIVEN_UP)
    assert {r.path for r in hook.received} == {"/success"}


def test_a_failure_is_told_with_its_reason(
    world: World, wps: FakeWps, hook: ScriptedServer, drain: Drain
) -> None:
    hook.reply("any", Reply(200), times=None)
    wps.failure = "No data there."
    ended(world, hook, drain, "success", "failed")
    (told,) = hook.received
    said = json.loads(told.body)
    assert (told.path, said["status"]) == ("/failed", "failed")
    assert "No data there." in said["message"]


def test_who_asked_for_it_gets_a_mail_at_the_end_and_nobody_else(
    world: World, hook: ScriptedServer, drain: Drain
) -> None:
    ended(world, hook, drain)
    assert not Mail.objects.filter(key__startswith="job-end").exists()
    job = ended(world, hook, drain, mail_at_end=True)
    mail = Mail.objects.get(key=f"job-end:{job.pk}")
    assert mail.user == world.researcher
    assert f"/jobs/{job.pk}/" in mail.body
    assert "succeeded" in mail.subject


def test_results_are_typed_and_large_ones_linked() -> None:
    world = World()
    job = run(world)
    job.outputs.create(
        number=1,
        identifier="message",
        kind="literal",
        document={"identifier": "message", "value": "4", "kind": "literal"},
    )
    for number, data in ((2, '{"a": 1}'), (3, "x" * 300_000)):
        value = ComplexValue(f"c{number}", data, "application/json")
        job.outputs.create(
            number=number,
            identifier=f"c{number}",
            kind="complex",
            media_type=value.media_type,
            document=asdict(value),
        )
    found = results_of(job)
    assert found["message"] == "4"  # described as text
    assert found["c2"] == {"value": {"a": 1}, "mediaType": "application/json"}
    assert found["c3"]["href"] == f"http://testserver/api/jobs/{job.pk}/outputs/3/content/"
