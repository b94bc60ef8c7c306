"""Jobs in processes of their own, begun by a process that has no threads.

PyWPS forks them from the server. A fork of a process with threads copies whatever locks the other
threads hold at that moment (SQLite's, for one), and the job then waits for ever. So a single
process is forked before the server has threads, and that one forks the jobs.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable
from typing import NoReturn

_LOOK_SECONDS = 0.05  # how soon the end of a job is seen


class Spawner:
    """Runs `run(reference)` for every reference given to `start`, at most `most` at a time."""

    def __init__(self, run: Callable[[str], None], *, most: int) -> None:
        self._run = run
        self._most = most
        self._reader, self._writer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._writer)
            _exit_after(self._serve)
        os.close(self._reader)

    def start(self, reference: str) -> None:
        """Begin a job soon. A line this short is written in one piece."""
        os.write(self._writer, f"{reference}\n".encode())

    def watch(self) -> NoReturn:
        """Wait for the spawner and end the server with it: somebody starts both again."""
        os.waitpid(self.pid, 0)
        os._exit(1)

    def _serve(self) -> None:
        """Until the server has gone: what has not begun then is the next server's to begin."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server gets it too, and ends
        waiting: deque[str] = deque()
        running: set[int] = set()
        rest = b""
        listening = True
        while listening or running:
            sources = [self._reader] if listening else []
            if select.select(sources, [], [], _LOOK_SECONDS if running else None)[0]:
                data = os.read(self._reader, 65536)
                listening = bool(data)
                *lines, rest = (rest + data).split(b"\n")
                waiting.extend(line.decode() for line in lines)
            if not listening:
                waiting.clear()
            self._reap(running)
            while waiting and len(running) < self._most:
                running.add(self._begin(waiting.popleft()))

    def _begin(self, reference: str) -> int:
        pid = os.fork()
        if pid == 0:
            os.close(self._reader)
            _exit_after(lambda: self._run(reference))
        return pid

    @staticmethod
    def _reap(running: set[int]) -> None:
        for pid in tuple(running):
            if os.waitpid(pid, os.WNOHANG)[0]:
                running.discard(pid)


def _exit_after(work: Callable[[], None]) -> NoReturn:
    """Leave a forked process without the parent's clean-up."""
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
