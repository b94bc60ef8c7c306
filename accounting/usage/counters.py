"""Counters since a machine began: what a month used is the difference to the month before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from accounting.usage.rows import Row, current_rows


def other_months(rows: Sequence[Row]) -> list[Row]:
    """All other months of the things that these rows count: what they used may change with them."""
    own = {row.natural_key for row in rows}
    others: list[Row] = []
    for provider_id in {row.provider_id for row in rows if row.counter_of}:
        things = {row.counter_of for row in rows if row.provider_id == provider_id} - {""}
        others += current_rows(provider_id=provider_id, counter_of__among=things)
    return [row for row in others if row.natural_key not in own]


def used_in_month(rows: Iterable[Row]) -> dict[str, tuple[dict[str, int], bool]]:
    """By natural key: what each record's month used, and whether a counter went back.

    Never below 0: a machine that was built anew begins at 0 again. `rows` has all months.
    """
    things: dict[tuple[int | None, str], list[Row]] = defaultdict(list)
    found: dict[str, tuple[dict[str, int], bool]] = {}
    for row in rows:
        if row.counter_of:
            things[row.provider_id, row.counter_of].append(row)
        else:
            found[row.natural_key] = (dict(row.quantities), False)
    for months in things.values():
        before: Mapping[str, int] = {}
        for row in sorted(months, key=lambda row: (row.month or row.ended.date(), row.ended)):
            changes = {u: n - before.get(u, 0) for u, n in row.quantities.items()}
            used = {unit: max(0, change) for unit, change in changes.items()}
            found[row.natural_key] = (used, used != changes)
            before = row.quantities
    return found
