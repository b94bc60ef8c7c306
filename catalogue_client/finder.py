"""How a search finds its items: the same effort whether the catalogue holds thousands or millions.

No planner can know whether few or many items fit a filter, and each way is slow for the other case:
walking the order's index until a page is full never ends when nothing fits; collecting and sorting
what fits takes long when all does. So first at most COUNTED items that fit are collected, by
whatever index serves the filter. If these are all, they are counted and sorted. If there are more,
a page fills soon on a walk, and the number of matches is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from catalogue_client.filters.tree import Node, judge, leaves
from catalogue_client.models import Item
from catalogue_client.order import Key, Position, behind, columns
from catalogue_client.places import GeometryText, shapes_of
from catalogue_client.queryables import Kind

COUNTED = 2000
BATCH = 250
# After so many judged items a page may end early, if there is something on it.
PATIENCE = 20_000


@dataclass(frozen=True, slots=True)
class Found:
    """The keys of a page's items in order, how many match at all (None: more than are counted), and
    the values behind which the next page begins (None: there is none)."""

    keys: list[int]
    matched: int | None
    last: tuple[Any, ...] | None


@dataclass(frozen=True, slots=True)
class Finder:
    """`items` are those that the viewer may see; `indexed` and `plain` the same conditions, once
    for the spatial index and once for a walk; `judged` what only exact geometry decides."""

    items: QuerySet[Item]
    indexed: Q
    plain: Q
    judged: Node | None
    order: tuple[Key, ...]
    position: Position | None

    def page(self, limit: int) -> Found:
        """The first items in order behind the position."""
        if self.position is not None and self.position.matched is None:
            return self._walked(limit)
        few = self._collected(limit + 1 if self.judged is None else None)
        if few is None:
            return self._walked(limit)
        rows, number = few
        if self.judged is not None:
            rows = [row for part in _parts(rows) for row in self._fitting(part, self.judged)]
            number = len(rows)
        matched = self.position.matched if self.position else number
        last = rows[limit - 1][1:] if len(rows) > limit else None
        return Found([row[0] for row in rows[:limit]], matched, last)

    def _collected(self, limit: int | None) -> tuple[list[tuple[Any, ...]], int] | None:
        """Keys and values in order, and how many there are; None if they are more than COUNTED."""
        wanted = self._behind(self.indexed)
        inner = self._with_values(wanted).order_by()[: COUNTED + 1]
        try:
            sql, parameters = inner.query.sql_with_params()
        except EmptyResultSet:
            return [], 0
        names = ["pk", *columns(self.order)]
        order = ", ".join(
            f"key_{number} {'DESC' if key.descending else 'ASC'} NULLS LAST"
            for number, key in enumerate(self.order)
        )
        statement = (
            f"WITH found({', '.join(names)}) AS MATERIALIZED ({sql}) "  # noqa: S608 (Django's own)
            f"SELECT {', '.join(names)}, (SELECT COUNT(*) FROM found) FROM found ORDER BY {order}"
        )
        if limit is not None:
            statement += f" LIMIT {limit}"
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows = cursor.fetchall()
        number = rows[0][-1] if rows else 0
        if number > COUNTED:
            return None
        kinds = [key.kind for key in self.order]
        return [(row[0], *map(_native, row[1:-1], kinds)) for row in rows], number

    def _walked(self, limit: int) -> Found:
        """The page by walking along the order."""
        kept: list[tuple[Any, ...]] = []
        position, seen = self.position, 0
        size = limit + 1 if self.judged is None else BATCH
        while True:
            wanted = self.plain if position is None else self.plain & behind(self.order, position)
            ordered = self._with_values(wanted).order_by(*(key.order() for key in self.order))
            rows = list(ordered[:size])
            kept += rows if self.judged is None else self._fitting(rows, self.judged)
            seen += len(rows)
            if len(rows) < size or len(kept) > limit:
                break
            if kept and seen >= PATIENCE:
                return Found([row[0] for row in kept], None, rows[-1][1:])
            position = Position(rows[-1][1:], None)
        last = kept[limit - 1][1:] if len(kept) > limit else None
        return Found([row[0] for row in kept[:limit]], None, last)

    def _behind(self, condition: Q) -> Q:
        return condition & behind(self.order, self.position) if self.position else condition

    def _with_values(self, condition: Q) -> QuerySet[Item, tuple[Any, ...]]:
        named = columns(self.order)
        return self.items.filter(condition).annotate(**named).values_list("pk", *named)

    def _fitting(self, rows: Sequence[tuple[Any, ...]], node: Node) -> list[tuple[Any, ...]]:
        """Those of the rows for whose items the exact condition is true."""
        asked = {f"leaf_{n}": _truth(q) for n, q in enumerate(leaves(node))}
        known = {
            row[0]: row[1:]
            for row in self.items.filter(pk__in=[row[0] for row in rows])
            .annotate(outline=GeometryText(), **asked)
            .values_list("pk", "outline", *asked)
        }
        there = [row for row in rows if row[0] in known]
        facts = [known[row[0]] for row in there]
        values = [[fact[place] for fact in facts] for place, _ in enumerate(asked, start=1)]
        truths = judge(node, iter(values), shapes_of(fact[0] for fact in facts))
        return [row for row, truth in zip(there, truths, strict=True) if truth]


def _truth(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField(null=True))


def _native(value: Any, kind: Kind) -> Any:
    """A value as a statement without Django has it; SQLite keeps instants as texts in UTC."""
    if kind != "time" or value is None:
        return value
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parts(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
