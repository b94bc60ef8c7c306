"""The demo's provider as it runs: in a process of its own, on a free port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from dirq.queue import Queue
from owslib.wps import ASYNC, SYNC, WebProcessingService, WPSExecution

from portal.demo.scene import SceneInfo, ensure_scene
from portal.demo.usage import SCHEMA
from tests.stack import ROOT, free_port


@dataclass
class Provider:
    folder: Path
    scene: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def wps(self) -> WebProcessingService:
        return WebProcessingService(f"{self.base}/wps")

    def start(self) -> None:
        command = [sys.executable, "-m", "portal.demo.provider", "--port", str(self.port)]
        command += ["--dir", str(self.folder), "--scene", str(self.scene)]
        command += ["--usage-queue", str(self.folder / "queue")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(lambda: self.get("/")[0] == 200, "the provider to listen", self)

    def stop(self, number: int = signal.SIGTERM, *, jobs: bool = True) -> None:
        """End the server, with the processes of its jobs or without."""
        assert self.process is not None
        (os.killpg if jobs else os.kill)(self.process.pid, number)
        self.process.wait(20)

    def get(self, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        return self.call(urllib.request.Request(self.base + path, headers=headers))

    def post(self, body: bytes, reference: str = "") -> tuple[int, bytes, dict[str, str]]:
        headers = {"Content-Type": "text/xml", **({"X-Remote-Ref": reference} if reference else {})}
        return self.call(urllib.request.Request(f"{self.base}/wps", body, headers))

    def call(self, request: urllib.request.Request) -> tuple[int, bytes, dict[str, str]]:
        """Status (0: nobody listens), body, headers in lower case."""
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                lower = {name.lower(): value for name, value in answer.headers.items()}
                return answer.status, answer.read(), lower
        except urllib.error.HTTPError as error:
            return error.code, error.read(), {k.lower(): v for k, v in error.headers.items()}
        except (urllib.error.URLError, ConnectionError):
            return 0, b"", {}

    def run(
        self, process: str, inputs: list[tuple[str, Any]], *, wait: bool = True, mode: str = ASYNC
    ) -> WPSExecution:
        execution = self.wps.execute(process, inputs, mode=mode, output=[])
        if mode != SYNC and wait:
            self.follow(execution)
        return execution

    def follow(self, execution: WPSExecution) -> list[tuple[int, str]]:
        """Poll until the end; the percentages and messages on the way."""
        seen: list[tuple[int, str]] = []

        def ended() -> bool:
            execution.checkStatus(sleepSecs=0)
            seen.append((execution.percentCompleted, execution.statusMessage))
            return bool(execution.isComplete())

        wait_until(ended, "the job", self)
        return seen

    def messages(self) -> list[str]:
        """The bodies of the usage messages that are in the queue."""
        queue = Queue(str(self.folder / "queue"), schema=SCHEMA)
        bodies = []
        name = queue.first()
        while name:
            if queue.lock(name):
                bodies.append(queue.get(name)["body"])
                queue.unlock(name)
            name = queue.next()
        return bodies

    def messages_of(self, job: str) -> list[str]:
        return [body for body in self.messages() if f"LocalJobId: {job}\n" in body]


def wait_until(test: Callable[[], Any], what: str, provider: Provider, seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = test()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited for {what}:\n" + (provider.folder / "log").read_text()[-3000:])


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SceneInfo:
    return ensure_scene(tmp_path_factory.mktemp("scene") / "scene")


@pytest.fixture(scope="module")
def provider(scene: SceneInfo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    one = Provider(tmp_path_factory.mktemp("provider"), scene.folder)
    one.start()
    yield one
    one.stop()
