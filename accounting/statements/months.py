"""Calendar months in UTC, as their first day."""

from __future__ import annotations

from datetime import UTC, date, datetime


def month_of(at: datetime) -> date:
    """The month that an instant lies in."""
    return at.astimezone(UTC).date().replace(day=1)


def begin(month: date) -> datetime:
    """The first instant of a month; the end of the one before."""
    return datetime(month.year, month.month, 1, tzinfo=UTC)


def shifted(month: date, months: int) -> date:
    """So many months later, or earlier. Raises ValueError outside of the years 1 to 9999."""
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
