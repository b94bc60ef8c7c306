"""Calendar periods in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from accounting.models import Period

MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12}


def start_of(every: Period | str, at: datetime) -> datetime:
    """When the period that contains `at` began; weeks begin on Monday."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if every == Period.WEEK:
        return day - timedelta(days=day.weekday())
    months = MONTHS[Period(every)]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)
