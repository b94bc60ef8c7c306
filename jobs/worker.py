"""The worker: claims due rows and does their steps, in one process or in many."""

from __future__ import annotations

import os
import socket
import threading
import uuid

import structlog
from django.conf import settings
from django.db import close_old_connections, connection, transaction

from common.clock import now
from jobs import due, periodic
from jobs.models import WorkerBeat
from jobs.steps import STEPS

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.2
BEAT_SECONDS = 10


def run_one(*, owner: str, due_id: int | None = None) -> bool:
    """Do one due row; False when nothing is due.

    Whatever breaks inside a step is written on the row, which is tried again later; the worker
    goes on.
    """
    row = due.claim(owner=owner, due_id=due_id) if due.anything() else None
    if row is None:
        return False
    with structlog.contextvars.bound_contextvars(due=row.kind, subject=row.subject):
        try:
            again = STEPS[row.kind](row)
        except Exception as error:
            log.exception("due.failed")
            due.failed(row, error=f"{type(error).__name__}: {error}")
        else:
            if again is None:
                due.done(row)
            else:
                due.again(row, at=again)
    return True


class Worker:
    """Threads that do due work until they are told to stop."""

    def __init__(self, *, threads: int | None = None) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"[:64]
        self._stop = threading.Event()
        count = threads or settings.WORKER_THREADS
        self._threads = [
            threading.Thread(target=self._work, args=(n,), name=f"worker-{n}", daemon=True)
            for n in range(count)
        ]

    def start(self) -> None:
        """Begin in the background."""
        beat()
        with transaction.atomic():
            periodic.ensure()
        for thread in self._threads:
            thread.start()

    def stop(self, *, timeout: float = 30) -> None:
        """Finish the steps in hand, take no more; what is left is done after the next start."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout)

    def run(self) -> None:
        """Work until `stop` is called from a signal handler."""
        self.start()
        while not self._stop.wait(BEAT_SECONDS):
            close_old_connections()
            beat()
        self.stop()

    def request_stop(self) -> None:
        """End `run` soon; safe in a signal handler."""
        self._stop.set()

    def _work(self, number: int) -> None:
        owner = f"{self.name}:{number}"[:64]
        try:
            while not self._stop.is_set():
                if not self._try(owner):
                    self._stop.wait(IDLE_SECONDS)
        finally:
            connection.close()

    def _try(self, owner: str) -> bool:
        close_old_connections()
        try:
            return run_one(owner=owner)
        except Exception:
            log.exception("worker.failed")
            connection.close()
            self._stop.wait(1)
            return True


def beat() -> None:
    """Say that a worker is alive; `/health/ready` looks at it."""
    WorkerBeat.objects.update_or_create(
        name=f"{socket.gethostname()}:{os.getpid()}"[:64], defaults={"seen_at": now()}
    )
