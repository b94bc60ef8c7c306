"""PyWPS's SQLite file, shared by the server's threads and the processes of its jobs.

PyWPS reads and then writes in one transaction. SQLite refuses such an upgrade at once when another
writer was faster ("database is locked"), and a job's process dies of it, so that the job seems to
wait for ever. Transactions that take the write lock when they begin queue instead.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

WAIT_MS = 60_000


def queue_writers() -> None:
    """From here on every SQLite connection of this process, and of those forked, waits its turn."""
    event.listen(Engine, "connect", _connected)
    event.listen(Engine, "begin", _begin)


def _connected(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    connection.execute(f"PRAGMA busy_timeout={WAIT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
