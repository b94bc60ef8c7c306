"""Monthly summaries in XML: aggregated compute accounting records, as APEL's normalised summaries.

Durations and times of ISO 8601 become the seconds and the UTC times of those; what cannot be read
stays as it is, and is a fault of its field there. Its normalised time is of no named benchmark.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

from accounting.usage.forms import compute, summary
from accounting.usage.forms import values as read
from accounting.usage.forms.elements import Elements
from accounting.usage.forms.entry import Form


def _seconds(text: str) -> str | None:
    seconds = read.duration(text)
    return None if seconds is None else str(seconds)


def _utc(text: str) -> str | None:
    moment = read.instant(text, zoned=False)
    return None if moment is None else moment.astimezone(UTC).isoformat()


_PLAIN: dict[str, Callable[[str], str | None]] = {
    "WallDuration": _seconds,
    "CpuDuration": _seconds,
    "NormalisedWallDuration": _seconds,
    "NormalisedCpuDuration": _seconds,
    "EarliestEndTime": _utc,
    "LatestEndTime": _utc,
}


def take(record: Elements) -> Form:
    """The values of one SummaryRecord."""
    compute.take(record, record.children(record.root))
    values: dict[str, Any] = record.values
    for key, plain in _PLAIN.items():
        if key in values:
            values[key] = plain(values[key]) or values[key]
    if "InfrastructureType" in values:
        values["Infrastructure"] = values.pop("InfrastructureType")
    return summary.NORMALISED
