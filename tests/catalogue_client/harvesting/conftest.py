"""A catalogue that changes, and the portal's source of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from catalogue_client.harvesting import running, services
from catalogue_client.models import HarvestRun, HarvestSource
from people.models import User
from tests.factories import make_user
from tests.fakes.harvestable import ChangingCatalogue, item

CENTRE = services.Centre(7, "centre", "Centre of Scenes")
NAMES = "abcde"


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


@pytest.fixture
def server() -> Iterator[ChangingCatalogue]:
    with ChangingCatalogue() as there:
        there.items = [item(name, day) for day, name in enumerate(NAMES, 1)]
        yield there


@pytest.fixture
def source(owner: User, server: ChangingCatalogue) -> HarvestSource:
    return register(owner, server.address)


def register(owner: User, url: str, **more: Any) -> HarvestSource:
    return services.register(actor=owner, centre=CENTRE, url=url, **more)


def harvest(source: HarvestSource, go_on: Callable[[], bool] = lambda: True) -> HarvestRun:
    """A run to its end, or to where it waits; what it counted."""
    running.work(source.pk, go_on)
    source.refresh_from_db()
    run = source.runs.first()
    assert run is not None
    return run


def counts(run: HarvestRun) -> tuple[int, ...]:
    """Seen, added, changed, unchanged, removed, bad."""
    return run.seen, run.added, run.changed, run.unchanged, run.removed, run.bad


def live(source: HarvestSource) -> dict[str, str]:
    """Id here → title, of what is in the catalogue."""
    items = source.collection.items.filter(deleted_at=None)
    return dict(items.values_list("identifier", "title"))
