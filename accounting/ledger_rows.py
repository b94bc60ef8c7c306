"""Rows of transfers on their way into the database: one statement, prepared where that helps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigAutoField, BigIntegerField, DateTimeField, UUIDField
from psycopg.types.numeric import Int8

from accounting.models import Transfer
from common.bulk import array, encode, fields_of
from common.prepared import run


class Row(NamedTuple):
    """A transfer as its table has it; ids also as text."""

    id: UUID | str
    phase: str
    kind: str
    debit_id: int
    credit_id: int
    amount: int
    pending_id: UUID | str | None
    reverses_id: UUID | str | None
    overrun_ok: bool
    member_id: int | None
    fingerprint: str
    actor: str
    reason: str
    reference: str
    effective_at: datetime
    created_at: datetime
    expires_at: datetime | None


_FIELDS = fields_of(Transfer, Row._fields)
_NAMES = ", ".join(Row._fields)
# Not bulk_create(ignore_conflicts=True): that would also ignore a second resolution of a hold and,
# on SQLite, every check inside the triggers.
_INSERT = (
    f"INSERT INTO acc_transfer ({_NAMES})"  # noqa: S608 (our own column names)
    f" VALUES ({', '.join(['%s'] * len(_FIELDS))}) ON CONFLICT (id) DO NOTHING"
)
_INTO_INBOX = _INSERT.replace("acc_transfer", "acc_inbox")
# One parameter for each column of any number of rows: one statement to prepare.
_INSERT_MANY = (
    f"INSERT INTO acc_transfer ({_NAMES})"  # noqa: S608 (our own column names)
    " SELECT * FROM unnest({arrays}) ON CONFLICT (id) DO NOTHING"
)


def insert(row: Row, database: BaseDatabaseWrapper) -> bool:
    """Whether the transfer is new: nothing is done for an id that is there."""
    return bool(run(_INSERT, _values(row, database)).rowcount == 1)


def insert_many(rows: Sequence[Row], database: BaseDatabaseWrapper) -> int:
    """How many of the transfers are new."""
    encoded = encode(_FIELDS, list(zip(*rows, strict=True)), database.vendor)
    if database.vendor == "postgresql":
        arrays = ", ".join(f"%s::{field.rel_db_type(database)}[]" for field in _FIELDS)
        statement = _INSERT_MANY.format(arrays=arrays)
        return int(run(statement, [array(values) for values in encoded]).rowcount)
    with database.cursor() as cursor:
        cursor.executemany(_INTO_INBOX, list(zip(*encoded, strict=True)))
        cursor.execute("INSERT INTO acc_batch VALUES (1)")
        cursor.execute("DELETE FROM acc_inbox")
        return int(cursor.rowcount)


def _values(row: Row, database: BaseDatabaseWrapper) -> list[Any]:
    values: list[Any] = list(row)
    for place, adapt in _adapters(database.vendor):
        if values[place] is not None:
            values[place] = adapt(values[place])
    return values


@cache
def _adapters(vendor: str) -> list[tuple[int, Callable[[Any], Any]]]:
    """What the driver needs told: the places of those columns."""
    if vendor == "postgresql":
        # psycopg chooses the type of a number by its size, and each type is another statement.
        kinds: dict[type, Callable[[Any], Any]] = {BigIntegerField: Int8, BigAutoField: Int8}
    else:
        kinds = {UUIDField: attrgetter("hex"), DateTimeField: _in_utc}
    typed = ((n, type(getattr(field, "target_field", field))) for n, field in enumerate(_FIELDS))
    return [(place, kinds[kind]) for place, kind in typed if kind in kinds]


@lru_cache(maxsize=256)
def _in_utc(moment: datetime) -> str:
    return str(moment.astimezone(UTC).replace(tzinfo=None))
