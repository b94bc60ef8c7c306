"""The example in docs/drivers.md is a driver that keeps the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from providers.ports import Driver, Endpoint
from providers.process import ExecuteRequest, LiteralValue
from providers.testing import DriverContract, FarSide
from tests.fakes.http_server import Received, Reply, ScriptedServer

DOCUMENT = Path(__file__).parents[2] / "docs" / "drivers.md"


class SimpleRuns(ScriptedServer):
    """A provider that speaks the example's protocol."""

    request = ExecuteRequest("echo", (LiteralValue("message", "hello"),))

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[dict[str, Any]] = []
        self.failure = ""

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.base)

    def kind_of(self, method: str, target: str) -> str:
        return "run" if method == "POST" else "question"

    def work(self, got: Received) -> Reply:
        if got.kind == "run":
            self.runs.append({**json.loads(got.body), "asked": 0})
            return _json({"run": str(len(self.runs)), "state": "queued"})
        if got.path == "/processes":
            return _json({"title": "Simple", "processes": ["echo"]})
        if got.path == "/processes/echo":
            return _json({"inputs": ["message"], "outputs": ["message"]})
        if got.path.startswith("/runs/"):
            return _json(self._run(int(got.path.removeprefix("/runs/"))))
        return _json({"error": "No such thing"}, 404)

    def _run(self, number: int) -> dict[str, Any]:
        run = self.runs[number - 1]
        run["asked"] += 1
        if run["asked"] < 2:
            return {"run": str(number), "state": "running"}
        if self.failure:
            return {"run": str(number), "state": "failed", "error": self.failure}
        return {"run": str(number), "state": "done", "outputs": run["inputs"]}

    def references(self) -> list[str]:
        return [run["reference"] for run in self.runs]

    def lose_answer(self) -> None:
        self.reply("run", Reply(hang_up=True, after=True))

    def refuse(self) -> None:
        self.reply("run", _json({"error": f"Not for {self.base}/x"}, 400))

    def fail_jobs(self, message: str) -> None:
        self.failure = message

    def say(self, body: bytes) -> None:
        for kind in ("run", "question"):
            self.reply(kind, Reply(200, body), times=None)

    def go_away(self) -> None:
        self.stop()


def _json(said: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps(said).encode(), {"Content-Type": "application/json"})


class TestTheExample(DriverContract):
    @pytest.fixture
    def driver(self) -> Driver:
        (code,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
        names: dict[str, Any] = {}
        exec(compile(code, str(DOCUMENT), "exec"), names)  # noqa: S102 (our own document)
        driver: Driver = names["SimpleRunsDriver"]()
        return driver

    @pytest.fixture
    def far_side(self) -> Iterator[FarSide]:
        with SimpleRuns() as server:
            yield server
