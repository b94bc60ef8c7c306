"""Live events of a job: resumed, bounded in time and number, given back in any case."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client

from jobs import live
from jobs.models import Job
from jobs.states import State
from jobs.transitions import apply, lock, move
from providers.ports import RemoteState, RemoteStatus
from tests.factories import World
from tests.jobs.test_lifecycle import run

pytestmark = pytest.mark.django_db


def running(world: World) -> Job:
    job = run(world)
    move(lock(job.pk), State.SUBMITTING, actor="worker")
    return apply(
        job.pk, RemoteStatus(RemoteState.RUNNING, "t", "w", handle="h", percent=10), actor="worker"
    )


def browser(world: World) -> Client:
    made = Client()
    made.force_login(world.researcher)
    return made


def leave(answer: Any) -> None:
    """As a server does when a reader has gone; the test keeps its connection to the database."""
    request_finished.disconnect(close_old_connections)
    answer.close()
    request_finished.connect(close_old_connections)


def messages(body: bytes) -> list[dict[str, str]]:
    found = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if "event" in fields:
            found.append(fields)
    return found


def test_a_reader_gets_what_was_not_seen_and_the_end() -> None:
    world = World()
    job = running(world)
    apply(job.pk, RemoteStatus(RemoteState.SUCCEEDED, "t", "w"), actor="worker")
    for address in (f"/jobs/{job.pk}/events", f"/api/jobs/{job.pk}/events"):
        answer = browser(world).get(address, headers={"Accept": "text/event-stream"})
        assert answer["Content-Type"].startswith("text/event-stream")
        told = messages(b"".join(answer.streaming_content))
        assert told[-1]["event"] == "end"
        numbers = [int(one["id"]) for one in told[:-1]]
        assert numbers == list(range(1, job.events.count() + 1))
        assert json.loads(told[-2]["data"])["state"] == "COMPLETED"
        later = browser(world).get(address, headers={"Last-Event-ID": str(numbers[-2])})
        told = messages(b"".join(later.streaming_content))
        assert [one["id"] for one in told] == [str(numbers[-1])] * 2


def test_it_ends_after_a_while_and_says_meanwhile_that_it_is_there(
    settings: Any, monkeypatch: Any
) -> None:
    settings.LIVE_SECONDS = 0.5
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.1)
    world = World()
    job = running(world)
    begun = time.monotonic()
    answer = browser(world).get(f"/jobs/{job.pk}/events?after=99")
    body = b"".join(answer.streaming_content)
    assert 0.4 < time.monotonic() - begun < 5
    assert body.count(b": still here") >= 2
    assert messages(body) == []


def test_there_are_only_so_many_and_each_is_given_back_read_or_not(monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "_free", threading.BoundedSemaphore(2))
    world = World()
    job = running(world)
    reader = browser(world)
    first = reader.get(f"/jobs/{job.pk}/events")
    second = reader.get(f"/api/jobs/{job.pk}/events")
    assert reader.get(f"/jobs/{job.pk}/events").status_code == 503
    assert reader.get(f"/jobs/{job.pk}/live").status_code == 200
    leave(first)
    leave(first)
    third = reader.get(f"/jobs/{job.pk}/events")
    assert third.status_code == 200
    leave(second)
    leave(third)
    assert live._free.acquire(blocking=False)
    assert live._free.acquire(blocking=False)
    assert not live._free.acquire(blocking=False)
