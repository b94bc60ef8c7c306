"""Whoever reads a source may die at any question to the database or to the catalogue: the next one
goes on at the page, and in the end everything is there once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from catalogue_client.harvesting import running, steering
from catalogue_client.models import HarvestedItem, HarvestSource, RunState
from people.models import User
from tests.catalogue_client.harvesting.conftest import counts, harvest, live, register
from tests.fakes.harvestable import ChangingCatalogue, item


class Killed(BaseException):
    """The process is gone."""


class Clock:
    """Dies at the n-th step; whether it came so far."""

    def __init__(self, deadline: int) -> None:
        self.left = deadline
        self.died = False

    def tick(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.died = True
            raise Killed

    def query(self, execute: Callable[..., Any], *rest: Any) -> Any:
        self.tick()
        result = execute(*rest)
        self.tick()
        return result


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Any:
    asked = running._asked

    def ask(*rest: Any) -> Any:
        page = asked(*rest)
        clock.tick()
        return page

    with monkeypatch.context() as patched, connection.execute_wrapper(clock.query):
        patched.setattr(running, "_asked", ask)
        yield


def test_killed_at_every_step(
    owner: User, server: ChangingCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0
    for deadline in range(1, 2000, 7):
        # Every step is tried over several rounds of the whole.
        server.items = [item(name, 1) for name in "abcd"]
        source = register(owner, server.address)
        harvest(source)
        server.items = [item("b", 1), item("c", 2, title="New"), item("d", 1), item("e", 1),
                        item("f", 1)]  # fmt: skip
        steering.want_run(source=source, full=True)
        clock = Clock(deadline)
        try:
            with dying(monkeypatch, clock):
                harvest(source)
        except Killed:
            steps = deadline
        done = harvest(source) if clock.died else source.runs.first()
        if done.mode == "changes":  # it had come to its end before it died
            done = source.runs.exclude(pk=done.pk).first()
        assert done.state == RunState.DONE, deadline
        assert counts(done) == (5, 2, 1, 2, 1, 0), deadline
        assert set(live(source)) == set("bcdef"), deadline
        assert HarvestedItem.objects.filter(source=source).count() == 6
        # The others are of no use any more, and the number of sources is bounded.
        HarvestSource.objects.filter(pk=source.pk).update(provider_id=deadline)
        if not clock.died:
            break
    assert steps > 100
