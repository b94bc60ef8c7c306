"""A filter as a tree: conditions that the database decides, and places that geometry decides.

Conditions are three-valued as in SQL: what compares with a missing value is neither true nor false.
A tree with places is asked in two steps: `superset` in the database, which finds too much, then
`judge` for each item found, with the exact geometry and what the database says of the other leaves.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import shapely
from django.db.models import Q
from shapely.geometry.base import BaseGeometry

from catalogue_client import places

Truth = bool | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition of the database, exact."""

    q: Q


@dataclass(frozen=True, slots=True)
class Place:
    """A spatial predicate of shapely between the item's geometry and this one."""

    operator: str
    shape: BaseGeometry

    def holds(self, shapes: Sequence[BaseGeometry | None]) -> list[Truth]:
        """The predicate for each of the shapes; unknown for what is none."""
        predicate = getattr(shapely, self.operator)
        shapely.prepare(self.shape)
        return [None if s is None else bool(predicate(s, self.shape)) for s in shapes]


@dataclass(frozen=True, slots=True)
class Not:
    arg: Node


@dataclass(frozen=True, slots=True)
class AllOf:
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    args: tuple[Node, ...]


Node = Leaf | Place | Not | AllOf | AnyOf


def both(nodes: Sequence[Node | None]) -> Node | None:
    """All of those that are there; None when none is."""
    there = tuple(node for node in nodes if node is not None)
    return AllOf(there) if len(there) > 1 else next(iter(there), None)


def exact(node: Node) -> Q | None:
    """The whole node as one condition; None if geometry has a say in it."""
    if isinstance(node, Leaf):
        return node.q
    if isinstance(node, Place):
        return None
    if isinstance(node, Not):
        inner = exact(node.arg)
        return None if inner is None else ~inner
    parts = [exact(arg) for arg in node.args]
    conditions = [part for part in parts if part is not None]
    if len(conditions) < len(parts):
        return None
    return reduce(operator.and_ if isinstance(node, AllOf) else operator.or_, conditions)


def superset(node: Node, *, true: bool = True, indexed: bool = True) -> Q | None:
    """A condition of whatever the node may be true for (or false); None: everything may be.

    `indexed`: ask the spatial index too.
    """
    if isinstance(node, Leaf):
        return node.q if true else ~node.q
    if isinstance(node, Not):
        return superset(node.arg, true=not true, indexed=indexed)
    if isinstance(node, Place):
        if not true or node.operator == "disjoint":
            return None
        box = places.box_around(node.shape)
        found = places.meets(box)
        return found & places.near([box], None, None) if indexed else found
    parts = [superset(arg, true=true, indexed=indexed) for arg in node.args]
    known = [part for part in parts if part is not None]
    if isinstance(node, AllOf) == true:  # all must be
        return reduce(operator.and_, known) if known else None
    return reduce(operator.or_, known) if len(known) == len(parts) else None


def residual(node: Node) -> Node | None:
    """What is left to judge after `superset`: None if nothing is."""
    if exact(node) is not None:
        return None
    if isinstance(node, AllOf):
        return both([residual(arg) for arg in node.args])
    return node


def leaves(node: Node) -> Iterator[Q]:
    """The conditions whose values `judge` needs, in its order."""
    whole = exact(node)
    if whole is not None:
        yield whole
    elif isinstance(node, Not):
        yield from leaves(node.arg)
    elif isinstance(node, AllOf | AnyOf):
        for arg in node.args:
            yield from leaves(arg)


def judge(
    node: Node, values: Iterator[Sequence[Truth]], shapes: Sequence[BaseGeometry | None]
) -> list[Truth]:
    """The node for several items at once; `values` has for each of `leaves` theirs."""
    if isinstance(node, Leaf) or exact(node) is not None:
        return list(next(values))
    if isinstance(node, Place):
        return node.holds(shapes)
    if isinstance(node, Not):
        return [None if t is None else not t for t in judge(node.arg, values, shapes)]
    columns = [judge(arg, values, shapes) for arg in node.args]
    decisive = isinstance(node, AnyOf)
    return [_joined(row, decisive) for row in zip(*columns, strict=True)]


def _joined(row: Sequence[Truth], decisive: bool) -> Truth:
    if decisive in row:
        return decisive
    return None if None in row else not decisive
