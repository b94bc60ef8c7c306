"""Who runs a job, as it arrives at its provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from jobs.lifecycle import submit
from jobs.worker import run_one
from providers.process import InputDescription, LiteralDomain, LiteralValue
from tests.factories import World
from tests.fakes.wps_server import ECHO, FakeWps

pytestmark = pytest.mark.django_db(transaction=True)

FULL = replace(
    ECHO, inputs=(*ECHO.inputs, InputDescription("_T2Username", LiteralDomain(), min_occurs=0))
)


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps(FULL) as server:
        yield server


@pytest.fixture
def world(wps: FakeWps) -> World:
    return World(url=wps.url, description=FULL)


def sent(world: World, wps: FakeWps) -> tuple[dict[str, str], str]:
    """Headers that begin with X-, and the document, of a run with a false name in it."""
    submit(
        actor=world.researcher,
        service=world.service,
        inputs=(*world.message(), LiteralValue("_T2Username", "somebody else")),
        account=world.account,
        door="rest",
    )
    while run_one(owner="test"):
        pass
    (got,) = wps.executes
    named = {name: value for name, value in got.headers.items() if name.startswith("x-remote")}
    return named, got.body.decode()


def test_a_trusted_provider_is_told(world: World, wps: FakeWps) -> None:
    provider = world.service.provider
    provider.trusted = True
    provider.save()
    headers, document = sent(world, wps)
    assert headers["x-remote-user"] == world.researcher.username
    assert headers["x-remote-role"] in ("user", "member", "admin")
    assert world.researcher.username in document
    assert "somebody else" not in document


def test_nobody_else_is(world: World, wps: FakeWps) -> None:
    headers, document = sent(world, wps)
    assert set(headers) == {"x-remote-ref"}
    assert world.researcher.username not in document
    assert "_T2Username" not in document
