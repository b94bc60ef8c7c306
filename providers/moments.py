"""Points in time as providers write them."""

from __future__ import annotations

from datetime import UTC, datetime

_YEARS = range(1970, 9999)


def moment(said: str) -> datetime | None:
    """An ISO 8601 time, in UTC where it names no zone; None for anything else."""
    try:
        read = datetime.fromisoformat(said.strip())
        told = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return told if told.year in _YEARS else None
