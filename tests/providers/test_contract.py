"""The built-in drivers keep the drivers' contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from providers.drivers.ogcapi import OgcApiDriver
from providers.drivers.wps1 import Wps1Driver
from providers.drivers.wps2 import Wps2Driver
from providers.ports import Driver, Endpoint
from providers.process import ExecuteRequest, LiteralValue
from providers.testing import DriverContract, FarSide
from tests.fakes import ogcapi_server, wps2_server, wps_server
from tests.fakes.http_server import Reply
from tests.fakes.ogcapi_server import FakeOgcApi
from tests.fakes.wps2_server import FakeWps2
from tests.fakes.wps_server import FakeWps

Server = FakeWps | FakeWps2 | FakeOgcApi


class Provider:
    """A stand-in provider with the kit's switches."""

    request = ExecuteRequest("echo", (LiteralValue("message", "hello"),))

    def __init__(
        self, server: Server, refusal: Callable[[str], Reply], kinds: tuple[str, ...]
    ) -> None:
        self.server = server
        self.refusal = refusal
        self.kinds = kinds
        self.endpoint = Endpoint(
            server.url, reference_header="X-Remote-Ref", lookup_url=server.lookup_url
        )

    def references(self) -> list[str]:
        return [got.reference for got in self.server.executes]

    def lose_answer(self) -> None:
        self.server.reply("Execute", Reply(hang_up=True, after=True))

    def refuse(self) -> None:
        self.server.reply("Execute", self.refusal(f"Not for {self.server.base}/x"))

    def fail_jobs(self, message: str) -> None:
        self.server.failure = message

    def say(self, body: bytes) -> None:
        for kind in (*self.kinds, "Execute", "other"):
            self.server.reply(kind, Reply(200, body), times=None)

    def go_away(self) -> None:
        self.server.stop()


class TestWps1(DriverContract):
    @pytest.fixture
    def driver(self) -> Driver:
        return Wps1Driver()

    @pytest.fixture
    def far_side(self, wps: FakeWps) -> FarSide:
        return Provider(
            wps,
            lambda text: wps_server.refusal("NoApplicableCode", text),
            ("GetCapabilities", "DescribeProcess", "status"),
        )


class TestWps2(DriverContract):
    @pytest.fixture
    def driver(self) -> Driver:
        return Wps2Driver()

    @pytest.fixture
    def far_side(self) -> Iterator[FarSide]:
        with FakeWps2() as server:
            yield Provider(
                server,
                lambda text: wps2_server.refusal("NoApplicableCode", text),
                ("GetCapabilities", "DescribeProcess", "GetStatus", "GetResult"),
            )


class TestOgcApi(DriverContract):
    @pytest.fixture
    def driver(self) -> Driver:
        return OgcApiDriver()

    @pytest.fixture
    def far_side(self) -> Iterator[FarSide]:
        with FakeOgcApi() as server:
            yield Provider(
                server,
                lambda text: ogcapi_server.problem("no", text, 400),
                ("landing", "processes", "process", "status", "results"),
            )
