"""The WPS door in front of a real HTTP provider, and a client that trusts no answer."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from django.test import Client

from jobs.models import Due, Job
from jobs.worker import run_one
from people.models import User
from people.services import create_api_key
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Format,
    InputDescription,
    LiteralDomain,
    OutputDescription,
    ProcessDescription,
    ValueRange,
)
from tests.factories import World
from tests.fakes.wps_server import FakeWps
from tests.wps_proxy.schemas import valid
from wps_proxy import execute

GEOJSON = b'{"type":"Point","coordinates":[1.5,2],"note":"<&\\u00e9>"}'
TIFF = bytes(range(256)) * 4
GML = b'<?xml version="1.0"?><g:Point xmlns:g="urn:g"><g:pos>1 2</g:pos></g:Point>'

ALL_KINDS = ProcessDescription(
    "eo:all.kinds",
    "All kinds",
    "Every kind of input & output.",
    "",
    inputs=(
        InputDescription(
            "depth",
            LiteralDomain("double", ranges=(ValueRange("0", "100"),), default="5", uoms=("m", "%")),
            "Depth",
            min_occurs=0,
        ),
        InputDescription("mode", LiteralDomain(allowed_values=("fast", "exact")), "Mode"),
        InputDescription("area", BoundingBoxDomain(("urn:ogc:def:crs:EPSG::4326",)), min_occurs=0),
        InputDescription(
            "parcels",
            ComplexDomain((Format("application/geo+json"), Format("text/xml")), 1),
            min_occurs=0,
            max_occurs=2,
        ),
        InputDescription("note", LiteralDomain(), min_occurs=0, max_occurs=None),
    ),
    outputs=(
        OutputDescription("mean", LiteralDomain("double", uoms=("%",)), "Mean"),
        OutputDescription("change", ComplexDomain((Format("image/tiff"),)), "Change"),
        OutputDescription("zones", ComplexDomain((Format("application/geo+json"),)), "Zones"),
        OutputDescription("shape", ComplexDomain((Format("text/xml"),)), "Shape"),
    ),
    store_supported=True,
    status_supported=True,
)


@pytest.fixture
def wps() -> Iterator[FakeWps]:
    with FakeWps() as server:
        server.credentials = ("portal", "provider-secret")
        server.add(
            ALL_KINDS,
            lambda _: {"mean": "41.7", "change": TIFF, "zones": GEOJSON, "shape": GML},
        )
        yield server


@pytest.fixture
def world(db: None, wps: FakeWps) -> World:
    from common.crypto import encrypt

    secrets = {"username": "portal", "secret": encrypt("provider-secret")}
    return World(url=wps.url, description=ALL_KINDS, provider_fields=secrets)


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of sleeping, a waiting request does one piece of the worker's due work."""
    monkeypatch.setattr(execute, "sleep", lambda _seconds: work(most=1))


def work(*, most: int = 40) -> None:
    """What the worker would do, now or soon."""
    for _ in range(most):
        if not run_one(owner="test"):
            open_work = Due.objects.filter(done_at=None, kind__in=("send", "poll", "cancel"))
            first = open_work.order_by("due_at").first()
            if first is None:
                return
            Due.objects.filter(pk=first.pk).update(due_at=first.due_at.replace(year=2020))


def basic(user: User, key: str) -> str:
    return "Basic " + base64.b64encode(f"{user.username}:{key}".encode()).decode()


class Door:
    """A client with HTTP Basic. Every XML answer is checked against its schema, and every answer
    for what must never get out."""

    def __init__(self, user: User, wps: FakeWps, path: str, scopes: list[str]) -> None:
        self.client = Client()
        self.wps = wps
        self.path = path
        self.key = create_api_key(user=user, name="test", scopes=scopes)[1]
        self.headers = {"Authorization": basic(user, self.key)}

    def get(self, path: str | None = None, *, headers: Mapping[str, str] = {}, **query: str) -> Any:
        return self._checked(
            self.client.get(path or self.path, query, headers={**self.headers, **headers})
        )

    def raw_get(self, address: str) -> Any:
        return self._checked(self.client.get(address, headers=self.headers))

    def post(
        self,
        body: str | bytes,
        *,
        path: str | None = None,
        content_type: str = "text/xml",
        headers: Mapping[str, str] = {},
    ) -> Any:
        return self._checked(
            self.client.post(
                path or self.path,
                body,
                content_type=content_type,
                headers={**self.headers, **headers},
            )
        )

    def execute(self, data_inputs: str = "mode=fast", **more: str) -> Any:
        query = {
            "service": "WPS",
            "version": "1.0.0",
            "request": "Execute",
            "identifier": self.identifier,
            "DataInputs": data_inputs,
        }
        return self.get(**{**query, **more})

    @property
    def identifier(self) -> str:
        slug = self.path.removeprefix("/wps").removeprefix("/2.0").strip("/")
        own = bool(slug) and self.path.startswith("/wps/")
        return "eo:all.kinds" if own else f"{self.world.provider.slug}.eo:all.kinds"

    world: World

    def _checked(self, response: Any) -> Any:
        body = b"".join(response) if response.streaming else response.content
        response.body = body
        told = body + repr(sorted(response.headers.items())).encode()
        for secret in (b"127.0.0.1", str(self.wps.port).encode(), b"provider-secret", b"portal:p"):
            assert secret not in told, secret
        assert response.status_code != 500
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind in ("text/xml", "application/xml", "application/soap+xml") and body:
            response.xml = valid(body)
            report = response.xml.tag.endswith("}ExceptionReport")
            assert report is (response.status_code >= 400)
        return response


MakeDoor = Callable[..., Door]


@pytest.fixture
def make_door(world: World, wps: FakeWps) -> MakeDoor:
    def make(
        user: User | None = None, path: str = "/wps", scopes: tuple[str, ...] = ("read", "run")
    ) -> Door:
        door = Door(user or world.researcher, wps, path, list(scopes))
        door.world = world
        return door

    return make


@pytest.fixture
def door(make_door: MakeDoor) -> Door:
    return make_door()


def only_job() -> Job:
    return Job.objects.get()


def texts(root: Any, local: str) -> list[str]:
    """The text of every element of that name, in order."""
    return ["".join(e.itertext()).strip() for e in root.iter() if e.tag.endswith("}" + local)]


def refusal(response: Any) -> tuple[int, str, str]:
    """Status, code and locator of an exception report."""
    exception = response.xml[0]
    return response.status_code, exception.get("exceptionCode"), exception.get("locator", "")
