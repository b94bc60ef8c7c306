"""The WPS 1.0.0 driver keeps the drivers' contract."""

from __future__ import annotations

import pytest

from providers.drivers.wps1 import Wps1Driver
from providers.ports import Driver, Endpoint
from providers.process import ExecuteRequest, LiteralValue
from providers.testing import DriverContract, FarSide
from tests.fakes.wps_server import FakeWps, Reply, refusal


class WpsFarSide:
    """The stand-in WPS with the kit's switches."""

    request = ExecuteRequest("echo", (LiteralValue("message", "hello"),))

    def __init__(self, wps: FakeWps) -> None:
        self.wps = wps
        self.endpoint = Endpoint(
            wps.url, reference_header="X-Remote-Ref", lookup_url=wps.lookup_url
        )

    def references(self) -> list[str]:
        return [got.reference for got in self.wps.executes]

    def lose_answer(self) -> None:
        self.wps.reply("Execute", Reply(hang_up=True, after=True))

    def refuse(self) -> None:
        self.wps.reply("Execute", refusal("NoApplicableCode", f"Not for {self.wps.base}/x"))

    def fail_jobs(self, message: str) -> None:
        self.wps.failure = message

    def say(self, body: bytes) -> None:
        for kind in ("GetCapabilities", "DescribeProcess", "Execute", "status", "other"):
            self.wps.reply(kind, Reply(200, body), times=None)

    def go_away(self) -> None:
        self.wps.stop()


class TestWps1(DriverContract):
    @pytest.fixture
    def driver(self) -> Driver:
        return Wps1Driver()

    @pytest.fixture
    def far_side(self, wps: FakeWps) -> FarSide:
        return WpsFarSide(wps)
