"""CQL2 (OGC 21-065r2): checked, and made into a tree of conditions.

The parser of the package `cql2` reads both encodings; what is offered of the language is decided
here: logic, comparisons of a property with values, LIKE, BETWEEN, IN, IS NULL, CASEI, spatial and
temporal functions. Everything else is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import cql2
import orjson
from django.db.models import Q, Value
from django.db.models.lookups import Exact

from catalogue_client import geometry as geo
from catalogue_client import places
from catalogue_client.filters import compare, temporal
from catalogue_client.filters.tree import AllOf, AnyOf, Leaf, Node, Not, Place
from common.errors import InvalidInput

LONGEST = 100_000
DEEPEST = 60
MOST_NODES = 2000
# Operators before one operand, which a text can repeat without brackets.
_CHAIN = re.compile(r"(?:\bNOT\b\s*){20}|(?:[-+]\s*){20}", re.IGNORECASE)
_SPATIAL = {f"s_{name}": name for name in (*places.OPERATORS, "equals")}
# What a relation becomes when its sides change places.
_TURNED = {"within": "contains", "contains": "within"}


def from_text(text: str) -> Node:
    """The tree of a filter in CQL2 text. Raises InvalidInput."""
    if len(text) > LONGEST or _too_deep(text) or _CHAIN.search(text):
        raise InvalidInput("The filter is too long or too deep.", locator="filter")
    return _read(cql2.parse_text, text)


def from_json(value: object) -> Node:
    """The tree of a filter in CQL2 JSON. Raises InvalidInput."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        raise InvalidInput("The filter is too deep.", locator="filter") from None
    if len(text) > LONGEST:
        raise InvalidInput("The filter is too long.", locator="filter")
    return _read(cql2.parse_json, text)


def _read(parse: Callable[[str], cql2.Expr], text: str) -> Node:
    try:
        tree = parse(text).to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError):
        raise InvalidInput("The filter is no CQL2 that can be read.", locator="filter") from None
    try:
        return _Reader().node(tree, 0)
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator="filter") from None


def _too_deep(text: str) -> bool:
    """Whether brackets nest so deep that the parser might run out of stack."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth > DEEPEST:
            return True
    return False


class _Reader:
    """Walks one expression and counts what it costs."""

    def __init__(self) -> None:
        self.nodes = 0

    def node(self, value: Any, depth: int) -> Node:
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            raise InvalidInput("The filter is too long or too deep.")
        if isinstance(value, bool):
            return Leaf(Q(Exact(Value(int(value)), 1)))
        if not isinstance(value, Mapping):
            raise InvalidInput("A filter must be a condition.")
        if "property" in value:
            return Leaf(compare.comparison("=", value, True))
        return self._operation(str(value.get("op")), value.get("args"), depth)

    def _operation(self, name: str, args: Any, depth: int) -> Node:
        if not isinstance(args, list):
            raise InvalidInput(f"“{name[:40]}” has no arguments.")
        key = name.lower()
        if key in ("and", "or"):
            if not args:
                raise InvalidInput(f"“{key}” has no arguments.")
            nodes = tuple(self.node(arg, depth + 1) for arg in args)
            return AllOf(nodes) if key == "and" else AnyOf(nodes)
        if key == "not":
            return Not(self.node(_counted(key, args, 1)[0], depth + 1))
        if key in _SPATIAL:
            return _place(_SPATIAL[key], _counted(key, args, 2))
        if key in temporal.OPERATORS:
            return Leaf(temporal.relation(key, *_counted(key, args, 2)))
        return Leaf(self._compared(name, key, args))

    def _compared(self, name: str, key: str, args: list[Any]) -> Q:
        if key == "isnull":
            return compare.absent(*_counted(key, args, 1))
        if key in compare.OPERATORS:
            return compare.comparison(key, *_counted(key, args, 2))
        if key == "like":
            return compare.like(*_counted(key, args, 2))
        if key == "between":
            # A draft of CQL2 had both bounds in a list.
            bounds = [b for arg in args[1:] for b in (arg if isinstance(arg, list) else [arg])]
            return compare.between(*_counted(key, [*args[:1], *bounds], 3))
        if key == "in":
            subject, values = _counted(key, args, 2)
            if not isinstance(values, list):
                raise InvalidInput("“in” needs a list.")
            self.nodes += len(values)
            return compare.among(subject, values)
        raise InvalidInput(f"“{name[:40]}” is not offered in filters here.")


def _counted(name: str, args: list[Any], number: int) -> list[Any]:
    if len(args) != number:
        raise InvalidInput(f"“{name}” takes {number} arguments.")
    return args


def _place(relation: str, args: list[Any]) -> Place:
    """The item's geometry against a literal, on whichever side it stands."""
    first, second = args
    if first != {"property": "geometry"}:
        first, second = second, first
        relation = _TURNED.get(relation, relation)
    if first != {"property": "geometry"}:
        raise InvalidInput("Spatial functions compare the property “geometry” with a geometry.")
    if isinstance(second, Mapping) and isinstance(second.get("bbox"), list):
        second = geo.polygon(geo.checked_box(second["bbox"]))
    return Place(relation, places.shape_of(second))
