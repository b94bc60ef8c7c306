"""The only place that reads the time, so that tests can move it."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present instant in UTC, timezone-aware."""
    return timezone.now()
