"""Conditions on properties in the words of CQL2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalogue_client.sources.ports import Condition


def cql2_of(conditions: Sequence[Condition]) -> dict[str, Any]:
    """The conditions, all of them, as CQL2 JSON."""
    each = [{"op": c.operator, "args": [{"property": c.name}, c.value]} for c in conditions]
    return each[0] if len(each) == 1 else {"op": "and", "args": each}
