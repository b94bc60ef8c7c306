"""The order of a search and its pages: by any queryable, missing values last, never by offset.

A page begins behind the last item of the page before, by that item's values: pages neither repeat
nor lose an item while others are inserted. The token holds these values and how many were found.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db.models import Expression, F, Q
from django.db.models.expressions import OrderBy
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
)

from catalogue_client.queryables import Kind, fixed_kind, ordered
from catalogue_client.stac import instant, instant_text
from common.errors import InvalidInput

MOST_KEYS = 5
# Columns that are never null: an order by them needs no word about nulls, so an index serves it.
_CERTAIN = frozenset({"id", "collection", "created", "updated"})


@dataclass(frozen=True, slots=True)
class Key:
    """One thing to sort by, and its SQL."""

    kind: Kind
    value: F | Expression
    descending: bool
    certain: bool = False

    def order(self) -> OrderBy:
        nulls = None if self.certain else True
        return OrderBy(self.value, descending=self.descending, nulls_last=nulls)

    def same(self, value: Any) -> Q:
        return Q(IsNull(self.value, True)) if value is None else Q(Exact(self.value, value))

    def behind(self, value: Any) -> Q | None:
        """What stands behind that value; None: nothing does."""
        if value is None:
            return None
        beyond = Q((LessThan if self.descending else GreaterThan)(self.value, value))
        return beyond if self.certain else beyond | Q(IsNull(self.value, True))

    def reached(self, value: Any) -> Q:
        """What does not stand before that value: a bound for the index; empty if there is none."""
        if not self.certain:
            return Q()
        return Q((LessThanOrEqual if self.descending else GreaterThanOrEqual)(self.value, value))


@dataclass(frozen=True, slots=True)
class Position:
    """Behind which item a page begins: its values, and how many items the search matched at its
    first page (None: more than are counted)."""

    values: tuple[Any, ...]
    matched: int | None


def order_of(fields: Sequence[tuple[str, bool]]) -> tuple[Key, ...]:
    """The keys of names with “descending”; newest first without any. Items are never equal."""
    if len(fields) > MOST_KEYS:
        raise InvalidInput(f"At most {MOST_KEYS} fields can be sorted by.", locator="sortby")
    keys: list[Key] = []
    for name, descending in fields:
        fixed = fixed_kind(name)
        kinds: tuple[Kind, ...] = (fixed,) if fixed else ("number", "text")
        keys += (Key(k, ordered(name, k), descending, name in _CERTAIN) for k in kinds)
    if not keys:
        keys = [Key("time", F("start"), descending=True, certain=True)]
    return (*keys, Key("number", F("pk"), keys[-1].descending, certain=True))


def columns(keys: Sequence[Key]) -> dict[str, F | Expression]:
    """The keys as annotations of a query."""
    return {f"key_{number}": key.value for number, key in enumerate(keys)}


def behind(keys: Sequence[Key], position: Position) -> Q:
    """What comes after that position."""
    found = Q()
    for number, key in enumerate(keys):
        beyond = key.behind(position.values[number])
        if beyond is None:
            continue
        for earlier, value in zip(keys[:number], position.values, strict=False):
            beyond &= earlier.same(value)
        found |= beyond
    return keys[0].reached(position.values[0]) & found


def token_of(position: Position) -> str:
    """The token of the page that begins there."""
    written = [instant_text(v) if isinstance(v, datetime) else v for v in position.values]
    named = orjson.dumps([position.matched, *written])
    return base64.urlsafe_b64encode(named).decode().rstrip("=")


def position_of(keys: Sequence[Key], token: str) -> Position:
    """What a token says, for pages in this order. Raises InvalidInput."""
    try:
        padded = token.encode() + b"=" * (-len(token) % 4)
        matched, *written = orjson.loads(base64.urlsafe_b64decode(padded))
        values = tuple(_read(key, value) for key, value in zip(keys, written, strict=True))
        known = None if matched is None else _count(matched)
        return Position((*values[:-1], _count(values[-1])), known)
    except (binascii.Error, ValueError, TypeError, InvalidInput):
        raise InvalidInput("This is no token of this search.", locator="token") from None


def _read(key: Key, value: Any) -> Any:
    if value is None and not key.certain:
        return None
    if key.kind == "time":
        return instant(value, locator="token")
    wanted: Any = str if key.kind == "text" else int | float
    if not isinstance(value, wanted) or isinstance(value, bool) or "\0" in str(value):
        raise ValueError
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError
    return value
