"""The real stack, as `make demo` runs it: web, worker and the PyWPS provider as processes.

On PostgreSQL the stack gets a database of its own, dropped afterwards.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = int(os.environ.get("STACK_SECONDS", "120"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class RunningStack:
    """A demo that has said `ready:`."""

    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def demo(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "demo.json").read_text()))

    @property
    def base(self) -> str:
        return str(self.demo["base_url"])

    def key(self, user: str) -> str:
        return str(self.demo["users"][user]["api_key"])

    def password(self, user: str) -> str:
        return str(self.demo["users"][user]["password"])

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A management command beside the running stack."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def children(self, name: str) -> list[int]:
        """Process ids of a part of the stack: web, worker or provider, with their own children."""
        marks = {
            "web": "portal.wsgi",
            "worker": "manage.py\0worker",
            "provider": "demo.provider",
            "celery": "-m\0celery",
        }
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_text()
                variables = (entry / "environ").read_bytes()
            except OSError:
                continue
            if marks[name] in command and f"VAR_DIR={self.folder}\0".encode() in variables:
                found.append(int(entry.name))
        return sorted(found)

    def kill(self, name: str) -> None:
        """kill -9 of every process of that part."""
        for pid in self.children(name):
            os.kill(pid, signal.SIGKILL)

    def check_ledger(self) -> None:
        done = self.manage("check_ledger")
        assert done.returncode == 0, done.stdout + done.stderr


def wait_until(test: Callable[[], Any], *, seconds: float = 60, what: str = "it") -> Any:
    """The first true answer of `test`; fails after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = test()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s for {what}")


@contextmanager
def running_stack(folder: Path, **settings: str) -> Iterator[RunningStack]:
    """Start the demo in `folder` and end it by SIGTERM."""
    with _database(folder) as url:
        environment = {
            **{k: v for k, v in os.environ.items() if k not in ("DJANGO_SETTINGS_MODULE",)},
            "VAR_DIR": str(folder),
            "DATABASE_URL": url,
            "PORT": str(free_port()),
            "PROVIDER_PORT": str(free_port()),
            "DUE_LEASE_SECONDS": "20",
            **settings,
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        stack = RunningStack(folder, environment, process)
        threading.Thread(target=_read, args=(stack,), daemon=True).start()
        try:
            wait_until(lambda: _ready(stack), seconds=START_SECONDS, what="ready:")
            yield stack
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
            left = [
                p for name in ("web", "worker", "celery", "provider") for p in stack.children(name)
            ]
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        assert not left, f"SIGTERM left processes behind: {left}"


def _read(stack: RunningStack) -> None:
    for line in stack.process.stdout or ():
        stack.lines.append(line)


def _ready(stack: RunningStack) -> bool:
    if stack.process.poll() is not None:
        raise AssertionError("the demo ended:\n" + "".join(stack.lines))
    return any(line.startswith("ready: ") for line in stack.lines)


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        yield f"sqlite:///{folder}/portal.sqlite3"
        return
    name = f"tep_stack_{uuid.uuid4().hex[:10]}"
    admin = server.replace("postgres://", "postgresql://")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield server.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
