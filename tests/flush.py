"""Emptying the database between transactional tests, in spite of the append-only triggers.

Django ends a transactional test with TRUNCATE or DELETE on every table, which the triggers refuse.
Here that statement, and only that, runs with the triggers off; one transaction around all of it, so
that an interrupted run never leaves them off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations

_original: Callable[..., Any] = BaseDatabaseOperations.execute_sql_flush


def _postgresql(cursor: Any) -> tuple[list[str], list[str]]:
    cursor.execute(
        "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
        " WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace"
    )
    tables = [table for (table,) in cursor.fetchall()]
    return (
        [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables],
        [
            "SET CONSTRAINTS ALL IMMEDIATE",  # what waits for the commit would forbid ALTER TABLE
            *(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables),
            "SET CONSTRAINTS ALL DEFERRED",
        ],
    )


def _sqlite(cursor: Any) -> tuple[list[str], list[str]]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    triggers = cursor.fetchall()
    return [f'DROP TRIGGER "{name}"' for name, _ in triggers], [sql for _, sql in triggers]


@contextmanager
def triggers_off() -> Iterator[Any]:
    """A cursor in a transaction in which no trigger runs: what only the database's owner can do."""
    with transaction.atomic(), connection.cursor() as cursor:
        off, on = (_postgresql if connection.vendor == "postgresql" else _sqlite)(cursor)
        for statement in off:
            cursor.execute(statement)
        yield cursor
        for statement in on:
            cursor.execute(statement)


def flush_without_triggers(operations: BaseDatabaseOperations, sql_list: Iterable[str]) -> None:
    """Stands in for `execute_sql_flush`."""
    with triggers_off():
        _original(operations, sql_list)


def install() -> None:
    """From here on `flush` works on the ledger's tables too; idempotent."""
    BaseDatabaseOperations.execute_sql_flush = flush_without_triggers  # type: ignore[method-assign]
