"""A worker that does what is due now, step by step, in the test's own thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from common import clock
from jobs.models import Due
from jobs.worker import run_one
from tests.factories import World
from tests.fakes.wps_server import FakeWps

Drain = Callable[..., int]


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps() as server:
        yield server


@pytest.fixture
def world(db: None, wps: FakeWps) -> World:
    return World(url=wps.url)


@pytest.fixture
def drain() -> Drain:
    """Do all due work; with `ahead`, what is due within that many seconds is due now."""

    def work(*, ahead: float = 3600, most: int = 60) -> int:
        done = 0
        while done < most:
            soon = clock.now() + timedelta(seconds=ahead)
            waiting = Due.objects.filter(done_at=None, due_at__gt=clock.now(), due_at__lte=soon)
            waiting.update(due_at=clock.now())
            if not run_one(owner="test"):
                break
            done += 1
        return done

    return work
