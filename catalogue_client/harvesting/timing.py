"""When a source is read, and how much of it."""

from __future__ import annotations

import random
from datetime import timedelta

from django.conf import settings

from catalogue_client.models import HarvestSource
from catalogue_client.sources import ports
from common.clock import now

LONGEST_PAUSE = 6 * 3600


def interval(source: HarvestSource) -> timedelta:
    """Between two runs, more or less: sources are not read all at once."""
    tells = ports.CHANGED in source.abilities
    usual = settings.HARVEST_SECONDS if tells else settings.HARVEST_WHOLE_SECONDS
    seconds = source.every_seconds or usual
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311 (jitter)


def pause(failures: int) -> timedelta:
    """Before the next try after so many failures in a row."""
    seconds = min(LONGEST_PAUSE, 15 * 2.0 ** min(failures, 20))
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 (jitter)


def starts_full(source: HarvestSource) -> bool:
    """Whether the next run reads all of it: nothing else is possible, it is time, or somebody wants
    it."""
    if source.full_wanted or source.mark is None or source.full_at is None:
        return True
    if ports.CHANGED not in source.abilities:
        return True
    seconds = source.full_every_seconds or settings.HARVEST_FULL_SECONDS
    return source.full_at + timedelta(seconds=seconds) <= now()
