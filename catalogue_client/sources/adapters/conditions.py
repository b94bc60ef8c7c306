"""Conditions on properties in the words of CQL2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from catalogue_client.sources.ports import Condition
from catalogue_client.stac import instant_text


def cql2_of(conditions: Sequence[Condition], since: datetime | None = None) -> dict[str, Any]:
    """The conditions, all of them, as CQL2 JSON; `since` bounds the property `updated`."""
    each = [{"op": c.operator, "args": [{"property": c.name}, c.value]} for c in conditions]
    if since is not None:
        moment = {"timestamp": instant_text(since)}
        each.append({"op": ">=", "args": [{"property": "updated"}, moment]})
    return each[0] if len(each) == 1 else {"op": "and", "args": each}
