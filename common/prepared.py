"""Statements that are made once, for the few rows that every request reads and writes.

Django makes the SQL of a query anew each time, which takes longer than the database takes to find
one row by its key; PostgreSQL plans it anew unless it is prepared.

    _KEY = Prepared(lambda prefix: ApiKey.objects.select_related("user").filter(prefix=prefix), str)
    key = _KEY.one("tepabc")

Objects are written in `common.rows`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from psycopg.types.numeric import Int8

M = TypeVar("M", bound=models.Model)
_MARKS: dict[type, Callable[[int], Any]] = {
    str: lambda n: f"mark {n}",
    int: lambda n: -(2**30) - n,
    UUID: lambda n: UUID(int=2**100 + n),
    datetime: lambda n: datetime(1, 1, 1 + n, tzinfo=UTC),
}


class _Preparing(psycopg.Cursor[Any]):
    """The server keeps the plan of the statement: half of its work otherwise."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        return super().execute(query, params, prepare=True, **options)


def run(sql: str, values: Sequence[Any]) -> Any:
    """Execute a statement that PostgreSQL prepares, with values as the driver takes them.

    The cursor is one per connection, as it remembers how to send each type: all rows are to be
    fetched before its next use.
    """
    return _run(connections[DEFAULT_DB_ALIAS], sql, values)


def _run(database: Any, sql: str, values: Sequence[Any]) -> Any:
    if database.vendor != "postgresql":
        own = database.cursor()
        own.execute(sql, values)
        return own
    own = _cursor(database)
    if database.queries_logged or database.execute_wrappers:
        database._prepare_cursor(own).execute(sql, values)
    else:  # what Django's cursor does besides counting
        database.validate_no_broken_transaction()
        with database.wrap_database_errors:
            own.execute(sql, values)
    return own


def _cursor(database: Any) -> _Preparing:
    if database.connection is None or not database.health_check_done:
        database.close_if_health_check_failed()
        database.ensure_connection()
    own = database.connection
    kept = vars(own).get("preparing")
    if kept is None:
        # Django sets None, and then nothing is prepared; with this only what asks for it.
        own.prepare_threshold = sys.maxsize
        own.preparing = kept = _Preparing(own)
    return kept


def _sent(value: Any, database: Any) -> Any:
    """A parameter as the database takes it: a whole number always as one type, since the driver
    would choose it by size, and each type is another statement to prepare."""
    if database.vendor == "postgresql":
        return Int8(value) if value.__class__ is int else value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return database.ops.adapt_datetimefield_value(value)
    return value


def _possible(value: Any) -> bool:
    """Whether a column can hold it: no row has a number beyond 64 bits, and no driver sends one."""
    return value.__class__ is not int or -(2**63) <= value < 2**63


def execute(sql: str, values: Sequence[Any]) -> Any:
    """Execute a statement of the portal's own with these values; the cursor, for its rows."""
    database = connections[DEFAULT_DB_ALIAS]
    return _run(database, sql, [_sent(value, database) for value in values])


class _Plain:
    """Makes objects of rows as a model does, without signals and without a call for each field."""

    def __init__(self, model: type[models.Model]) -> None:
        self._model = model

    def from_db(self, alias: str, names: Sequence[str], values: Sequence[Any]) -> Any:
        made = self._model.__new__(self._model)
        made._state = state = ModelState()
        state.adding, state.db = False, alias
        vars(made).update(zip(names, values, strict=True))
        return made


def _plain(populators: Any) -> None:
    for populator in populators:
        populator.model_cls = _Plain(populator.model_cls)
        _plain(populator.related_populators)


@dataclass(frozen=True, slots=True)
class _Made:
    """The SQL, its parameters (where a value goes: its number), and how rows become objects."""

    sql: str
    parameters: tuple[Any, ...]
    places: tuple[tuple[int, int], ...]  # in the parameters, in the values
    compiler: Any
    converters: Any
    objects: _Plain
    populators: Any
    names: tuple[str, ...]
    annotations: tuple[tuple[str, int], ...]
    first: int
    last: int


class Prepared(Generic[M]):
    """`build` makes the queryset from values of these types (str, int, UUID, datetime).

    It must have a place for each value wherever it stands, so no value may decide about its form,
    and no slices. Forms that differ by database are found at the first use.
    """

    def __init__(self, build: Callable[..., models.QuerySet[M]], *types: type) -> None:
        self._build = build
        self._types = types
        self._made: _Made | None = None

    def one(self, *values: str | int | UUID | datetime) -> M | None:
        """The first row, with what `select_related` names; None when there is none."""
        if not all(map(_possible, values)):
            return None
        made, own = self._asked(values)
        row = own.fetchone()
        return None if row is None else self._objects(made, [row])[0]

    def all(self, *values: str | int | UUID | datetime) -> list[M]:
        """All rows."""
        if not all(map(_possible, values)):
            return []
        made, own = self._asked(values)
        return self._objects(made, own.fetchall())

    def refresh(self, known: M, *values: str | int | UUID | datetime) -> bool:
        """Bring an object up to date with the first row; False when there is none. What it refers
        to stays as it was read, and so do the fields that the query defers."""
        made, own = self._asked(values)
        row = own.fetchone()
        if row is None:
            return False
        if made.converters:
            (row,) = made.compiler.apply_converters([row], made.converters)
        for name, value in zip(made.names, row[made.first : made.last], strict=True):
            setattr(known, name, value)
        return True

    def _asked(self, values: Sequence[Any]) -> tuple[_Made, Any]:
        made = self._made = self._made or self._make()
        parameters = list(made.parameters)
        database = connections[DEFAULT_DB_ALIAS]
        for place, number in made.places:
            parameters[place] = _sent(values[number], database)
        return made, _run(database, made.sql, parameters)

    def _objects(self, made: _Made, rows: list[Any]) -> list[M]:
        if made.converters:
            rows = list(made.compiler.apply_converters(rows, made.converters))
        objects = []
        for row in rows:
            values = row[made.first : made.last]
            found = made.objects.from_db(DEFAULT_DB_ALIAS, made.names, values)
            for populator in made.populators:
                populator.populate(row, found)
            for name, place in made.annotations:
                setattr(found, name, row[place])
            objects.append(found)
        return objects

    def _make(self) -> _Made:
        marks = [_MARKS[kind](number) for number, kind in enumerate(self._types)]
        compiler = self._build(*marks).query.get_compiler(connection.alias)
        sql, parameters = compiler.as_sql()
        database = connections[DEFAULT_DB_ALIAS]
        numbers = {_sent(mark, database): n for n, mark in enumerate(marks)}
        places = tuple(
            (place, numbers[one]) for place, one in enumerate(parameters) if one in numbers
        )
        if {number for _, number in places} != set(range(len(marks))):
            raise TypeError("The query does not take each of its values as it is.")
        fields = compiler.klass_info["select_fields"]
        # The stubs know a later Django.
        populators = get_related_populators(  # type: ignore[call-arg]
            compiler.klass_info, compiler.select, connection.alias
        )
        _plain(populators)
        first, last = fields[0], fields[-1] + 1
        return _Made(
            sql,
            tuple(parameters),
            places,
            compiler,
            compiler.get_converters(expression for expression, _, _ in compiler.select),
            _Plain(compiler.klass_info["model"]),
            populators,
            tuple(one[0].target.attname for one in compiler.select[first:last]),
            tuple(compiler.annotation_col_map.items()),
            first,
            last,
        )
