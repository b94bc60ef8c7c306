"""Comparisons of one property with values, as conditions that are unknown where it is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import BooleanField, Expression, F, Func, Q, TextField
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from catalogue_client.queryables import Absent, Kind, fixed_kind, name_of, ordered, value_of
from catalogue_client.stac import instant
from common.errors import InvalidInput

Scalar = str | float | bool | datetime
OPERATORS = {
    "=": Exact,
    "<>": Exact,
    "<": LessThan,
    "<=": LessThanOrEqual,
    ">": GreaterThan,
    ">=": GreaterThanOrEqual,
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
LONGEST_TEXT = 2000


class Lowered(Func):
    """A text in lower case, of any script."""

    function = "LOWER"
    arity = 1
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="TEP_LOWER", **context)


class Like(Func):
    """Whether a text fits a pattern of literal parts, “%” (None) and “_” (...)."""

    arity = 1
    output_field = BooleanField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        text, parameters = compiler.compile(self.source_expressions[0])
        signs = {None: "*", ...: "?"}
        pattern = [signs.get(p) or re.sub(r"[*?\[]", r"[\g<0>]", p) for p in self.extra["parts"]]
        return f"({text} GLOB %s)", [*parameters, "".join(pattern)]

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        text, parameters = compiler.compile(self.source_expressions[0])
        signs = {None: "%", ...: "_"}
        pattern = [signs.get(p) or re.sub(r"[%_\\]", r"\\\g<0>", p) for p in self.extra["parts"]]
        return f"({text} LIKE %s)", [*parameters, "".join(pattern)]


def comparison(operator: str, left: Any, right: Any) -> Q:
    """A property compared with a value, whichever comes first."""
    if not _is_subject(left) and _is_subject(right):
        return comparison(_TURNED.get(operator, operator), right, left)
    name, folded = _subject(left)
    value = scalar(right, name, folded=folded)
    kind = kind_of(value)
    side = value_of(name, kind) if operator in ("=", "<>") else ordered(name, kind)
    condition = Q(OPERATORS[operator](_folded(side, kind, folded=folded), value))
    return ~condition if operator == "<>" else condition


def between(subject: Any, low: Any, high: Any) -> Q:
    return comparison(">=", subject, low) & comparison("<=", subject, high)


def among(subject: Any, values: list[Any]) -> Q:
    """One of several values; of those of another kind than the first it is never one."""
    name, folded = _subject(subject)
    if not values:
        raise InvalidInput("“in” needs at least one value.")
    wanted: dict[Kind, list[Scalar]] = {}
    for value in values:
        one = scalar(value, name, folded=folded)
        wanted.setdefault(kind_of(one), []).append(one)
    if len(wanted) > 1:
        raise InvalidInput("The values of “in” must be of one kind.")
    [(kind, listed)] = wanted.items()
    return Q(In(_folded(value_of(name, kind), kind, folded=folded), listed))


def like(subject: Any, pattern: Any) -> Q:
    name, folded = _subject(subject)
    text = scalar(pattern, name, folded=folded)
    if not isinstance(text, str):
        raise InvalidInput("“like” needs a pattern that is a text.")
    side = _folded(value_of(name, "text"), "text", folded=folded)
    return Q(Like(side, parts=_parts(text)))


def absent(subject: Any) -> Q:
    """Whether there is no such property, or null in it."""
    name, _ = _subject(subject)
    if fixed_kind(name) in (None, "text", "number") and name not in ("id", "collection"):
        return Q(Absent(name))
    return Q(IsNull(value_of(name, fixed_kind(name) or "text"), True))


def scalar(literal: Any, name: str, *, folded: bool = False) -> Scalar:
    """The value of a literal that is compared with that property. Raises InvalidInput."""
    if folded and isinstance(literal, Mapping) and literal.get("op") == "casei":
        literal = _lowered(literal.get("args"))
    if isinstance(literal, Mapping):
        return moment(literal)
    if isinstance(literal, str):
        if _UNSTORABLE.search(literal) or len(literal) > LONGEST_TEXT:
            raise InvalidInput("A text in the filter is too long or cannot be stored.")
        is_time = fixed_kind(name) == "time"
        return instant(literal, locator="filter") if is_time else literal
    if isinstance(literal, bool | int | float) and abs(literal) < float("inf"):
        return literal if isinstance(literal, bool) else float(literal)
    raise InvalidInput(f"“{name}” is compared with something that is no value.")


def _lowered(args: Any) -> str | None:
    """The one text among the arguments of CASEI, in lower case."""
    one = args[0] if isinstance(args, list) and len(args) == 1 else None
    return one.lower() if isinstance(one, str) else None


def moment(literal: Mapping[str, Any]) -> datetime:
    """The instant of a timestamp, or with which a date begins."""
    if "timestamp" in literal:
        return instant(literal["timestamp"], locator="filter")
    if "date" in literal:
        try:
            return datetime.strptime(str(literal["date"]), "%Y-%m-%d").replace(tzinfo=UTC)
        except ValueError:
            raise InvalidInput("A date is written as 2026-03-02.") from None
    raise InvalidInput("Only texts, numbers, truth values, timestamps and dates are compared.")


def kind_of(value: Scalar) -> Kind:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "text"
    return "time" if isinstance(value, datetime) else "number"


def _parts(pattern: str) -> tuple[Any, ...]:
    """The pattern cut at its wildcards; a backslash takes the next character as it is."""
    tokens = re.findall(r"\\.|.", pattern, re.DOTALL)
    return tuple({"%": None, "_": ...}.get(token, token[-1]) for token in tokens)


def _is_subject(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    args = value.get("args")
    casei = value.get("op") == "casei" and isinstance(args, list) and len(args) == 1
    return "property" in value or (casei and _is_subject(args[0]))  # type: ignore[index]


def _subject(value: Any) -> tuple[str, bool]:
    """The property's name, and whether its case is not looked at."""
    if not _is_subject(value):
        raise InvalidInput("Only a property can be compared with values here.")
    if "property" in value:
        return name_of(value["property"]), False
    return _subject(value["args"][0])[0], True


def _folded(side: F | Expression, kind: Kind, *, folded: bool) -> F | Expression:
    if not folded:
        return side
    if kind != "text":
        raise InvalidInput("CASEI compares texts.")
    return Lowered(side)
