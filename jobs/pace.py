"""When work is due again, and what a worker notes of a provider that answered."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.conf import settings

from common.clock import now
from jobs import due
from jobs.looks import Look
from providers import services as providers
from providers.models import Provider

WORKER = "worker"
# When a step is due again, with what else is to be written of it then; None when it is finished.
Again = datetime | Look | None


def in_(seconds: float) -> datetime:
    """That many seconds from now, more or less: jobs of one moment do not stay in step."""
    return now() + timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 (jitter)


def between(seconds: float) -> float:
    """The time between two looks, within what the portal is set to."""
    return float(max(settings.POLL_SECONDS_FIRST, min(settings.POLL_SECONDS_MOST, seconds)))


def answered(provider: Provider) -> None:
    """The provider is there; if it was away, what waited for it is due now."""
    was_away = provider.failing_since is not None
    providers.note_answer(provider=provider)
    if was_away:
        due.hurry(due.lane(provider.pk))
