"""A provider on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from people.models import User
from providers.drivers.wps1 import driver as wps1
from tests.factories import make_user
from tests.fakes.wps_server import FakeWps


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps() as server:
        yield server


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-written status documents are read again at once."""
    monkeypatch.setattr(wps1, "STATUS_PAUSE", 0.0)


@pytest.fixture
def owner(db: None) -> User:
    return make_user()


@pytest.fixture
def operator(db: None) -> User:
    return make_user(is_staff=True, is_superuser=True)
