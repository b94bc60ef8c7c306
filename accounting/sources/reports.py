"""Answers of reporting interfaces, written as usage messages: one importer judges all usage.

The message is the envelope of JSON usage messages with a Type of our own; its readers are in
accounting/usage/forms/reported.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

from accounting.sources.contract import Delivery, Place
from common.clock import now

Row = Mapping[str, str]
VERSION = "1.0"
MOST_ROWS = 1000  # in one message


def position(place: Place) -> str:
    """How far the last complete answer went; "" before the first."""
    return place.cursor.partition(" ")[0]


def deliver(kind: str, rows: Sequence[Row], place: Place, reached: str) -> Iterator[Delivery]:
    """The rows as messages; none when they are the same as last time.

    The cursor moves with the last message: whatever dies before it, all is fetched again, and what
    had been stored is recognised record by record.
    """
    text = json.dumps(rows, sort_keys=True)
    cursor = f"{reached} {hashlib.sha256(text.encode()).hexdigest()}"
    if not rows or cursor.partition(" ")[2] == place.cursor.partition(" ")[2]:
        return
    # Figures may go back to what they were: the time makes that a message of its own.
    fetched = now().isoformat()
    for start in range(0, len(rows), MOST_ROWS):
        message = {
            "Type": kind,
            "Version": VERSION,
            "Retrieved": fetched,
            "UsageRecords": rows[start : start + MOST_ROWS],
        }
        last = start + MOST_ROWS >= len(rows)
        body = json.dumps(message, ensure_ascii=False, indent=0).encode()
        yield Delivery(body, _nothing, cursor=cursor if last else None)


def _nothing() -> None:
    """An interface that is asked need not be told what has arrived."""
