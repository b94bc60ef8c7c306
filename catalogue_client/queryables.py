"""What searches may ask of items: names, kinds, and the SQL that has their values.

A few properties have columns with indexes. Every other property is read out of the document, each
time as the kind of value that it is compared with; a value of another kind is null, as the filter
language (CQL2) wants. On both databases texts are compared by code points, in any collation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from django.db.models import BooleanField, Case, Expression, F, FloatField, Func, TextField, When
from django.db.models.functions import Collate

from common.errors import InvalidInput

Kind = Literal["text", "number", "bool", "time"]

# Columns made of properties, by the name of the column.
PROMOTED: dict[str, tuple[str, Kind]] = {
    "cloud_cover": ("eo:cloud_cover", "number"),
    "gsd": ("gsd", "number"),
    "platform": ("platform", "text"),
    "constellation": ("constellation", "text"),
}
LONGEST_PROMOTED = 200
_COLUMNS = {name: (column, kind) for column, (name, kind) in PROMOTED.items()}
_TIMES = {"created": "created_at", "updated": "updated_at", "datetime": "instant"}
_INTERVAL = {"start_datetime": "start", "end_datetime": "end"}
_NAMES = {"id": "identifier", "collection": "collection__identifier"}
NAME = re.compile(r"[A-Za-z0-9_:.\-]{1,100}")

SCHEMA_OF_KIND: dict[Kind, dict[str, str]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
}
# Properties in documents that are worth naming, though every other may be asked for as well.
_DESCRIBED: dict[str, Kind] = {
    "title": "text",
    "processing:level": "text",
    "proj:code": "text",
    "sat:orbit_state": "text",
    "view:off_nadir": "number",
    "tep:process": "text",
    "tep:app": "text",
    "tep:job": "text",
}


def kinds() -> dict[str, Kind]:
    """The queryables of every collection by name, apart from the geometry."""
    columns = {name: kind for name, (_, kind) in _COLUMNS.items()}
    times: dict[str, Kind] = dict.fromkeys((*_TIMES, *_INTERVAL), "time")
    return {**dict.fromkeys(_NAMES, "text"), **times, **columns, **_DESCRIBED}


def name_of(text: object) -> str:
    """The property that a filter or an order names, with or without “properties.” before it."""
    if not isinstance(text, str) or not NAME.fullmatch(text):
        raise InvalidInput("A property's name is letters, digits and _ : . - only.")
    name = text.removeprefix("properties.")
    if name in ("geometry", "bbox", "properties"):
        raise InvalidInput(f"“{name}” cannot be compared with a value.")
    return name


def fixed_kind(name: str) -> Kind | None:
    """The kind of a property that has a column; None for one of the document, which may be any."""
    if name in _NAMES:
        return "text"
    if name in _TIMES or name in _INTERVAL:
        return "time"
    return _COLUMNS[name][1] if name in _COLUMNS else None


def value_of(name: str, kind: Kind) -> F | Expression:
    """The SQL of a property as that kind of value. Raises InvalidInput if it can never be one."""
    fixed = fixed_kind(name)
    if fixed and fixed != kind:
        raise InvalidInput(f"“{name}” is a {SCHEMA_OF_KIND[fixed].get('format', fixed)}.")
    if fixed is None:
        if kind == "time":
            raise InvalidInput(f"“{name}” is not known as a time here.")
        return {"text": Text, "number": Number, "bool": Bool}[kind](name)
    if name in _INTERVAL:
        return Case(When(start__lt=F("end"), then=F(_INTERVAL[name])))
    return F((_NAMES | _TIMES).get(name) or _COLUMNS[name][0])


def ordered(name: str, kind: Kind) -> F | Expression:
    """The same, for “less” and “greater” and for sorting."""
    value = value_of(name, kind)
    return CodePoints(value) if kind == "text" else value


def promoted(properties: Mapping[str, Any], column: str) -> str | float | None:
    """What the column holds of these properties."""
    name, kind = PROMOTED[column]
    value = properties.get(name)
    if kind == "text":
        return value if isinstance(value, str) and len(value) <= LONGEST_PROMOTED else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value is not None else None


class CodePoints(Func):
    """A text in the order of its characters' numbers."""

    template = "%(expressions)s"
    arity = 1
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return Collate(self.source_expressions[0], "C").as_sql(compiler, connection, **context)


class _Property(Func):
    """A member of the document's properties. Its name is safe within SQL: see NAME."""

    arity = 1
    sqlite = ""
    postgresql = ""

    def __init__(self, name: str) -> None:
        super().__init__(F("document"), name=name)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        place = f"{column}, '$.properties.\"{self.extra['name']}\"'"
        kind, value = f"JSON_TYPE({place})", f"JSON_EXTRACT({place})"
        return self.sqlite.format(kind=kind, value=value), parameters

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        value = f"({column} -> 'properties' -> '{self.extra['name']}')"
        return self.postgresql.format(kind=f"JSONB_TYPEOF({value})", value=value), parameters


class Text(_Property):
    output_field = TextField()
    sqlite = "CASE WHEN {kind} = 'text' THEN {value} END"
    postgresql = "CASE WHEN {kind} = 'string' THEN {value} #>> '{{}}' END"


class Number(_Property):
    output_field = FloatField()
    sqlite = "CASE WHEN {kind} IN ('integer', 'real') THEN {value} END"
    postgresql = "CASE WHEN {kind} = 'number' THEN {value}::double precision END"


class Bool(_Property):
    output_field = BooleanField()
    sqlite = "CASE {kind} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"
    postgresql = "CASE WHEN {kind} = 'boolean' THEN {value}::boolean END"


class Absent(_Property):
    """Whether the property is missing or null."""

    output_field = BooleanField()
    sqlite = postgresql = "COALESCE({kind}, 'null') = 'null'"
