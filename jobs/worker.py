"""The worker: claims due rows and does their steps, in one process or in many."""

from __future__ import annotations

import math
import os
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import close_old_connections, connection, transaction

from common import log_context
from common.clock import now
from jobs import due, looks, periodic, sending
from jobs.looks import Look
from jobs.models import Due, Job, WorkerBeat
from jobs.steps import STEPS, Step

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.2
BEAT_SECONDS = 10
AHEAD = 32  # polls that are claimed besides one row for each thread that waits
POLLS_WAIT = 0.1  # seconds, for others to be claimed with
SLOW_SECONDS, ANALYZE_SECONDS = 0.2, 60  # a claim that takes so long; how often it is helped


def run_one(*, owner: str, due_id: int | None = None) -> bool:
    """Do one due row; False when nothing is due.

    Whatever breaks inside a step is written on the row, which is tried again later; the worker
    goes on.
    """
    row = due.claim(owner=owner, due_id=due_id) if due.anything() else None
    if row is None:
        return False
    do(row)
    return True


def send_now(job: Job) -> bool:
    """Hand a job over in the caller's own process, as a worker would; it is then as that left it.

    False when it is not due, or somebody else has it in hand: they do it. Whatever the caller dies
    of, the row is there still, and is due again when its lease runs out.
    """
    row = due.claim(owner=owner_here(), work=("send", job.pk))
    if row is None:
        return False
    row.job = job
    _do_in_hand(row, job, STEPS["send"])
    return True


def sent_by_caller(row: Due, job: Job) -> None:
    """Send a job that the caller's transaction put on its way (`starting.start`); it is then as
    that left it. Whatever the caller dies of, the row is due again when its lease runs out."""
    _do_in_hand(row, job, lambda row: sending.hand_over(job, row))


def _do_in_hand(row: Due, job: Job, step: Step) -> None:
    if not do(row, step=step):
        job.refresh_from_db()  # not what a transaction would have made of it that came to nothing


def owner_here() -> str:
    """Who has a lease: this thread."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"[:64]


def do(
    row: Due, later: Callable[[Due, Look], None] | None = None, *, step: Step | None = None
) -> bool:
    """Do a claimed row, by the step of its kind; whatever breaks is written on it: then False.

    What `later` takes is not written here.
    """
    with log_context.within(due=row.kind, subject=row.subject):
        try:
            again = (step or STEPS[row.kind])(row)
        except Exception as error:
            log.exception("due.failed")
            due.failed(row, error=f"{type(error).__name__}: {error}")
            return False
        if again is None:
            if row.done_at is None:  # not with what the step wrote
                due.done(row)
        elif isinstance(again, datetime):
            due.again(row, at=again)
        elif later is not None:
            later(row, again)
        else:
            looks.write([(row, again)])
        return True


class Worker:
    """Threads that do due work until they are told to stop."""

    def __init__(self, *, threads: int | None = None) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"[:64]
        self._stop = threading.Event()
        self._claiming = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0  # threads that have nothing to do
        self._claimed: deque[Due] = deque()  # for those
        self._looks: deque[tuple[Due, Look]] = deque()  # not written yet
        self._nothing_at = 0.0  # when nothing was due, on the monotonic clock
        self._analyzed_at = -math.inf
        count = threads or settings.WORKER_THREADS
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{n}", daemon=True)
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
        with self._claiming:
            self._write_looks()
            due.give_back(self._claimed)
            self._claimed.clear()

    def run(self) -> None:
        """Work until `stop` is called from a signal handler."""
        self.start()
        while not self._stop.wait(BEAT_SECONDS):
            close_old_connections()
            beat()
            with self._claiming:
                self._write_looks()
        self.stop()

    def request_stop(self) -> None:
        """End `run` soon; safe in a signal handler."""
        self._stop.set()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                if not self._try():
                    self._stop.wait(IDLE_SECONDS)
        finally:
            connection.close()

    def _try(self) -> bool:
        close_old_connections()
        try:
            row = self._next()
            if row is not None:
                do(row, lambda row, look: self._looks.append((row, look)))
        except Exception:
            log.exception("worker.failed")
            connection.close()
            self._stop.wait(1)
            return True
        return row is not None

    def _next(self) -> Due | None:
        """A row for this thread, None when there is none."""
        row = self._begun()
        if row is None:
            return self._waited_for()
        # Looking ahead while others work on: the database takes its time to commit.
        few = row.kind == "poll" and len(self._claimed) < AHEAD // 2
        if few and self._claiming.acquire(blocking=False):
            try:
                self._claim_more()
            finally:
                self._claiming.release()
        return row

    def _waited_for(self) -> Due | None:
        """A row for a thread that has nothing else to do."""
        with self._counting:
            self._waiting += 1
        try:
            with self._claiming:
                row = self._begun()
                if row is None:
                    self._claim_more()
                    row = self._begun()
                return row
        finally:
            with self._counting:
                self._waiting -= 1

    def _claim_more(self) -> None:
        """Claim for all who wait, with one question; called with the lock of who claims."""
        if time.monotonic() - self._nothing_at <= IDLE_SECONDS / 2:
            return
        self._write_looks()
        if not (due.anything(patience=POLLS_WAIT) and self._claim()):
            self._nothing_at = time.monotonic()  # nor is there for the next who asks in a moment

    def _begun(self) -> Due | None:
        """The next claimed row; one that has waited here for long is left to others."""
        enough = now() + timedelta(seconds=settings.DUE_LEASE_SECONDS / 2)
        while True:
            try:
                row = self._claimed.popleft()
            except IndexError:
                return None
            if row.lease_until is not None and row.lease_until > enough:
                return row

    def _write_looks(self) -> None:
        """Write what the looks of all threads found, which is nothing new, with few statements."""
        taken = [self._looks.popleft() for _ in range(len(self._looks))]
        if taken:
            looks.write(taken)

    def _claim(self) -> bool:
        """Whether there was something to claim."""
        started = time.monotonic()
        rows = due.claim_many(owner=self.name, most=self._waiting, polls=AHEAD)
        self._claimed.extend(rows)
        ended = time.monotonic()
        if ended - started > SLOW_SECONDS and ended - self._analyzed_at > ANALYZE_SECONDS:
            self._analyzed_at = ended
            due.analyze()
        return bool(rows)


def beat() -> None:
    """Say that a worker is alive; `/health/ready` looks at it."""
    WorkerBeat.objects.update_or_create(
        name=f"{socket.gethostname()}:{os.getpid()}"[:64], defaults={"seen_at": now()}
    )
