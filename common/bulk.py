"""Many rows in one statement, on PostgreSQL and on SQLite.

The ORM makes an object of every row and a parameter of every value, which costs more than the
database's own work: here values are written column by column, as one text. Columns are named as on
the model (`bill_id`); values are Python's own, ids also as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper

from common.prepared import run


@models.ForeignObject.register_lookup
@models.Field.register_lookup
class Among(models.Lookup):
    """`field__among=[…]`: as `in`, with one parameter however many values there are."""

    lookup_name = "among"
    prepare_rhs = False
    can_use_none_as_rhs = False

    def as_postgresql(self, compiler: Any, database: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        left, parameters = self.process_lhs(compiler, database)
        # Without its length: a cast to that would shorten what is looked for.
        kind = self.lhs.output_field.rel_db_type(database).partition("(")[0]
        return f"{left} = ANY(%s::{kind}[])", [*parameters, array(list(self.rhs))]

    def as_sqlite(self, compiler: Any, database: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        left, parameters = self.process_lhs(compiler, database)
        uuids = _kind(self.lhs.output_field) == "UUIDField"
        values = json.dumps([_hex(v) if uuids else v for v in self.rhs])
        # What stands on the left is SQL of Django's making.
        return f"{left} IN (SELECT value FROM json_each(%s))", [*parameters, values]  # noqa: S608


def expect_lookups() -> None:
    """Let PostgreSQL look rows up by their keys until the transaction ends.

    It expects disks on which that is slow, and would read a table of many rows for a thousand.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL random_page_cost = 1.1")


def insert_rows(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows; raises what Django raises, IntegrityError and DataError among it.

    The caller is in a transaction. Nothing is told about the new rows' ids.
    """
    fields = fields_of(model, columns)
    by_column = list(zip(*rows, strict=True))
    if not by_column:
        return
    into = f"{model._meta.db_table} ({', '.join(str(f.column) for f in fields)})"
    encoded = encode(fields, by_column, connection.vendor)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":
            lines = map("\t".join, zip(*map(_copied, encoded), strict=True))
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                copy.write("\n".join(lines))
        else:
            marks = ", ".join(["%s"] * len(fields))
            # Our own names of tables and columns.
            cursor.executemany(f"INSERT INTO {into} VALUES ({marks})", list(zip(*encoded)))  # noqa: S608, B905


def update_rows(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Set the further columns of the rows whose key is in the first column."""
    if not rows:
        return
    fields = fields_of(model, columns)
    key, *others = (str(field.column) for field in fields)
    table = model._meta.db_table
    encoded = encode(fields, list(zip(*rows, strict=True)), connection.vendor)
    if connection.vendor == "postgresql":
        change = ", ".join(f"{name} = new.{name}" for name in others)
        arrays = ", ".join(f"%s::{f.rel_db_type(connection)}[]" for f in fields)
        run(
            f"UPDATE {table} old SET {change}"  # noqa: S608 (our own names of tables and columns)
            f" FROM unnest({arrays}) AS new({key}, {', '.join(others)})"
            f" WHERE old.{key} = new.{key}",
            [array(values) for values in encoded],
        )
        return
    change = ", ".join(f"{name} = %s" for name in others)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {change} WHERE {key} = %s",  # noqa: S608
            list(zip(*encoded[1:], encoded[0], strict=True)),
        )


def encode(
    fields: Sequence[models.Field[Any, Any]], by_column: Sequence[Sequence[Any]], vendor: str
) -> list[Sequence[Any]]:
    """Columns of values as the database takes them: those changed that it does not take as are."""
    encoders = _ENCODERS[vendor]
    encoded: list[Sequence[Any]] = []
    for field, values in zip(fields, by_column, strict=True):
        change = encoders.get(_kind(field))
        if change is None:
            encoded.append(values)
        elif change is not as_json and values.count(values[0]) == len(values):
            one = None if values[0] is None else change(values[0])
            encoded.append([one] * len(values))
        else:
            encoded.append([None if value is None else change(value) for value in values])
    return encoded


def _kind(field: models.Field[Any, Any]) -> str:
    """What a column holds; a foreign key's what it refers to."""
    return str(getattr(field, "target_field", field).get_internal_type())


def array(values: Sequence[Any]) -> str:
    """An array as PostgreSQL reads it: the driver looks at every value for longer than this."""
    if not values:
        return "{}"
    texts = _texts(values)
    body = '","'.join(texts)
    quotes = 2 * (len(texts) - 1)
    if "\\" in body or body.count('"') != quotes:
        texts = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
        body = '","'.join(texts)
    if None not in values:
        return f'{{"{body}"}}'
    elements = ["NULL" if v is None else f'"{t}"' for v, t in zip(values, texts, strict=True)]
    return f"{{{','.join(elements)}}}"


def _copied(values: Sequence[Any]) -> list[str]:
    """Values as COPY reads them: NULL is \\N, and nothing else has a tab or ends a line."""
    texts = _texts(values)
    whole = "".join(texts)
    for plain, escaped in _ESCAPES:
        if plain in whole:
            texts = [text.replace(plain, escaped) for text in texts]
    if None not in values:
        return texts
    return ["\\N" if v is None else t for v, t in zip(values, texts, strict=True)]


def _texts(values: Sequence[Any]) -> list[str]:
    """Each value as text; many columns have the same value in all rows."""
    if values.count(values[0]) == len(values):
        return [str(values[0])] * len(values)
    return [value if value.__class__ is str else str(value) for value in values]


# The backslash first: it is what escapes the others.
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


def fields_of(model: type[models.Model], columns: Sequence[str]) -> list[models.Field[Any, Any]]:
    """The fields of a model by these names, as `encode` takes them."""
    fields = [model._meta.get_field(column) for column in columns]
    return [field for field in fields if isinstance(field, models.Field)]


def as_json(value: Any) -> str:
    """What a JSON column stores."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # a number of more than 64 bits
        return json.dumps(value, check_circular=False, separators=(",", ":"))


def _hex(value: UUID | str) -> str:
    return value.replace("-", "") if isinstance(value, str) else value.hex


def _plain_utc(moment: datetime) -> str:
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return str(moment)[: -len("+00:00")]


_ENCODERS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "postgresql": {"JSONField": as_json},
    "sqlite": {
        "JSONField": as_json,
        "UUIDField": _hex,
        "DateTimeField": _plain_utc,
        "DateField": str,
    },
}
