"""The temporal functions of CQL2, over the period of an item or one of its stamps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Expression, F, Q
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
)

from catalogue_client.filters.compare import moment
from catalogue_client.queryables import name_of, value_of
from catalogue_client.stac import instant
from common.errors import InvalidInput

# (end of the item's period, comparison, end of the literal's): s start, e end; all must hold.
_RULES: dict[str, tuple[tuple[str, type, str], ...]] = {
    "t_after": (("s", GreaterThan, "e"),),
    "t_before": (("e", LessThan, "s"),),
    "t_contains": (("s", LessThan, "s"), ("e", GreaterThan, "e")),
    "t_during": (("s", GreaterThan, "s"), ("e", LessThan, "e")),
    "t_equals": (("s", Exact, "s"), ("e", Exact, "e")),
    "t_finishedby": (("s", LessThan, "s"), ("e", Exact, "e")),
    "t_finishes": (("s", GreaterThan, "s"), ("e", Exact, "e")),
    "t_intersects": (("s", LessThanOrEqual, "e"), ("e", GreaterThanOrEqual, "s")),
    "t_meets": (("e", Exact, "s"),),
    "t_metby": (("s", Exact, "e"),),
    "t_overlappedby": (("s", GreaterThan, "s"), ("s", LessThan, "e"), ("e", GreaterThan, "e")),
    "t_overlaps": (("s", LessThan, "s"), ("e", GreaterThan, "s"), ("e", LessThan, "e")),
    "t_startedby": (("s", Exact, "s"), ("e", GreaterThan, "e")),
    "t_starts": (("s", Exact, "s"), ("e", LessThan, "e")),
}
OPERATORS = frozenset({*_RULES, "t_disjoint"})
_TURNED = {
    "t_after": "t_before",
    "t_contains": "t_during",
    "t_finishedby": "t_finishes",
    "t_meets": "t_metby",
    "t_overlappedby": "t_overlaps",
    "t_startedby": "t_starts",
}
_TURNED |= {other: one for one, other in _TURNED.items()}


def relation(name: str, left: Any, right: Any) -> Q:
    """A property's period against a literal, whichever comes first. Raises InvalidInput."""
    if isinstance(right, Mapping) and "property" in right:
        name, left, right = _TURNED.get(name, name), right, left
    if not isinstance(left, Mapping) or "property" not in left:
        raise InvalidInput("Temporal functions compare a property with a time or an interval.")
    if name == "t_disjoint":
        return ~relation("t_intersects", left, right)
    sides = _sides(name_of(left["property"]))
    literal = _literal(right)
    condition = Q()
    for own, lookup, other in _RULES[name]:
        bound = literal[other]
        if bound is not None:
            condition &= Q(lookup(sides[own], bound))
        elif not _open_holds(lookup, other):
            raise InvalidInput("This function needs an interval with both ends.")
    return condition


def _sides(name: str) -> dict[str, F | Expression]:
    """The item's own period for “datetime”; another stamp is a period of no length."""
    if name == "datetime":
        return {"s": F("start"), "e": F("end")}
    return dict.fromkeys("se", value_of(name, "time"))


def _literal(value: Any) -> dict[str, datetime | None]:
    """Start and end; None for an end that is open."""
    if not isinstance(value, Mapping):
        raise InvalidInput("Temporal functions need TIMESTAMP, DATE or INTERVAL.")
    if "interval" not in value:
        stamp = moment(value)
        return {"s": stamp, "e": stamp}
    ends = value["interval"]
    if not isinstance(ends, list) or len(ends) != 2:  # noqa: PLR2004
        raise InvalidInput("An interval has two ends.")
    start, end = (_end(one) for one in ends)
    if start and end and end < start:
        raise InvalidInput("An interval ends before it starts.")
    return {"s": start, "e": end}


def _end(value: Any) -> datetime | None:
    if isinstance(value, Mapping):
        return moment(value)
    if value in ("..", "", None):
        return None
    if isinstance(value, str) and len(value) == len("2026-03-02"):
        return moment({"date": value})
    return instant(value, locator="filter")


def _open_holds(lookup: type, other: str) -> bool:
    """Whether a comparison with an open end is true of every instant."""
    if other == "s":
        return lookup in (GreaterThan, GreaterThanOrEqual)
    return lookup in (LessThan, LessThanOrEqual)
