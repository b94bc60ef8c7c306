"""Rows of objects, written with statements that are made once (`common.prepared`).

quote = new(Quote, account=account, total=0)
insert(Quote(…))
update(job, ("state", "percent"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState
from psycopg.types.numeric import Int8

from common.prepared import run

M = TypeVar("M", bound=models.Model)


def new(model: type[M], **values: Any) -> M:
    """`model(**values)`, without signals and without a call for each field."""
    made = model.__new__(model)
    made._state = ModelState()
    defaults, makers, relations = _fields(model)
    own = vars(made)
    own.update(defaults)
    for name, make in makers:
        own[name] = make()
    for name, value in values.items():
        key = relations.get(name)
        if key is None:
            if name not in own:
                raise TypeError(f"{model.__name__} has no field {name!r}.")
            own[name] = value
        else:
            made._state.fields_cache[name] = value
            own[key] = None if value is None else value.pk
    return made


@cache
def _fields(model: type[models.Model]) -> _Fields:
    fields = model._meta.concrete_fields
    made = {f.attname: f.default for f in fields if f.has_default() and callable(f.default)}
    plain = {f.attname: f.get_default() for f in fields if f.attname not in made}
    return plain, tuple(made.items()), {f.name: f.attname for f in fields if f.is_relation}


# The defaults, those that are made for each object, and the columns of relations.
_Fields = tuple[dict[str, Any], tuple[tuple[str, Callable[[], Any]], ...], dict[str, str]]


def insert(row: models.Model, *, unless: str = "") -> bool:
    """Insert a new object's row: as `save`, without signals, and in one statement.

    `unless`: nothing is done when there is one with the same value in this column; then False.
    """
    database = connections[DEFAULT_DB_ALIAS]
    encoders, sql, returning = _insertion(type(row), row.pk is None, unless, database.vendor)
    own = run(sql, _values(row, encoders))
    if returning:  # SQLite counts only when the rows are fetched
        new = own.fetchone()
        if new is None:
            return False
        row.pk = new[0]
    elif own.rowcount == 0:
        return False
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return True


def insert_all(rows: Sequence[models.Model]) -> None:
    """As `insert` for a few new objects of one kind whose keys the database gives."""
    database = connections[DEFAULT_DB_ALIAS]
    encoders, sql, _ = _insertion(type(rows[0]), True, "", database.vendor, len(rows))
    own = run(sql, [value for row in rows for value in _values(row, encoders)])
    for row, new in zip(rows, own.fetchall(), strict=True):
        row.pk = new[0]
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def update(row: models.Model, names: tuple[str, ...]) -> None:
    """Write these fields of an object into its row."""
    database = connections[DEFAULT_DB_ALIAS]
    encoders, sql = _change(type(row), names, database.vendor)
    run(sql, _values(row, encoders))


def _values(row: models.Model, encoders: Encoders) -> list[Any]:
    values = ((getattr(row, name), encode) for name, encode in encoders)
    return [value if encode is None or value is None else encode(value) for value, encode in values]


@cache
def _insertion(
    model: type[models.Model], numbered: bool, unless: str, vendor: str, rows: int = 1
) -> tuple[Encoders, str, bool]:
    """`numbered`: the database gives the key."""
    table, key = model._meta.db_table, model._meta.pk
    fields = [f for f in model._meta.concrete_fields if not (numbered and f is key)]
    columns = ", ".join(str(f.column) for f in fields)
    marks = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * rows)
    sql = f"INSERT INTO {table} ({columns}) VALUES {marks}"  # noqa: S608 (our own names)
    sql += f" ON CONFLICT ({unless}) DO NOTHING" if unless else ""
    sql += f" RETURNING {key.column}" if numbered else ""
    return _encoders(fields, vendor), sql, numbered


@cache
def _change(model: type[models.Model], names: tuple[str, ...], vendor: str) -> tuple[Encoders, str]:
    known = {field.name: field for field in model._meta.concrete_fields}
    fields = [*(known[name] for name in names), model._meta.pk]
    change = ", ".join(f"{field.column} = %s" for field in fields[:-1])
    table, key = model._meta.db_table, fields[-1].column
    sql = f"UPDATE {table} SET {change} WHERE {key} = %s"  # noqa: S608 (our own names)
    return _encoders(fields, vendor), sql


# What an object's attributes are called, and what makes of each what the driver takes.
Encoders = tuple[tuple[str, Callable[[Any], Any] | None], ...]


def _encoders(fields: Sequence[models.Field[Any, Any]], vendor: str) -> Encoders:
    plain = _PLAIN if vendor == "postgresql" else {}
    return tuple((f.attname, plain.get(_kind(f), partial(_encoded, f))) for f in fields)


def _kind(field: models.Field[Any, Any]) -> str:
    return str(getattr(field, "target_field", field).get_internal_type())


def _encoded(field: models.Field[Any, Any], value: Any) -> Any:
    """As Django sends it."""
    return field.get_db_prep_save(value, connection)


def _text(value: Any) -> str:
    """A member of an enumeration as what it stands for."""
    return value if value.__class__ is str else str(value)


# PostgreSQL's driver takes these as they are; a number of one type: see `_sent`.
_PLAIN: dict[str, Callable[[Any], Any] | None] = {
    **dict.fromkeys(("BooleanField", "DateTimeField", "UUIDField")),
    **dict.fromkeys(("CharField", "TextField"), _text),
    **dict.fromkeys(("BigAutoField", "BigIntegerField", "PositiveIntegerField"), Int8),
}
