"""The demo's processes: a provider, the web and a worker, looked after by their parent."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from common.errors import ConfigurationError

STOP_SECONDS = 10
RESTART_PAUSE = 1.0  # seconds before a child that died is started again
LOOK_SECONDS = 0.2


@dataclass
class Child:
    """A process of the stack; its output goes to `log`."""

    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    died_at: float = 0.0

    def start(self, environment: Mapping[str, str]) -> None:
        with self.log.open("ab") as out:
            # A session of its own: a Ctrl-C in the terminal reaches the parent alone, which then
            # ends its children in order.
            self.process = subprocess.Popen(  # noqa: S603 (fixed commands)
                self.command,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=dict(environment),
                cwd=settings.BASE_DIR,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None


@dataclass
class Stack:
    """Starts children, starts those again that die, and ends them all."""

    folder: Path
    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def add(self, name: str, *command: str) -> None:
        """Start one more child."""
        logs = self.folder / "log"
        logs.mkdir(parents=True, exist_ok=True)
        child = Child(name, list(command), logs / f"{name}.log")
        child.start(self.environment)
        self.children.append(child)

    def wait_for(self, port: int, *, seconds: float = 60) -> None:
        """Wait for a listener on the port. Raises ConfigurationError, also when stopped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stop.is_set():
            for child in self.children:
                if not child.running:
                    raise ConfigurationError(f"The {child.name} ended; see {child.log}.")
            if not port_is_free(port):
                return
            self._stop.wait(LOOK_SECONDS)
        raise ConfigurationError(f"Nothing listens on port {port}; see {self.folder / 'log'}.")

    def watch(self) -> None:
        """Look after the children until `request_stop`."""
        while not self._stop.wait(LOOK_SECONDS):
            for child in self.children:
                if child.running:
                    child.died_at = 0.0
                elif not child.died_at:
                    child.died_at = time.monotonic()
                elif time.monotonic() - child.died_at > RESTART_PAUSE:
                    child.start(self.environment)

    def request_stop(self) -> None:
        """End `watch` soon; safe in a signal handler."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def end(self) -> None:
        """End every child and what it started, in the reverse order of their start."""
        for child in reversed(self.children):
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            if child.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(max(0.1, deadline - time.monotonic()))
            _signal(child, signal.SIGKILL)


def _signal(child: Child, number: signal.Signals) -> None:
    """Signal the child's whole group: a web server's and a provider's own children too."""
    if child.process is not None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, number)


def port_is_free(port: int) -> bool:
    """Whether nobody listens on this port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def python(*arguments: str) -> tuple[str, ...]:
    """A command of this same Python."""
    return (sys.executable, *arguments)
