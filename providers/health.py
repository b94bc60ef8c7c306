"""Whether a provider answers: probes, and what they add up to day by day."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum

from common.clock import now
from common.errors import PortalError
from providers import services
from providers.maintenance import open_window
from providers.models import HealthDay, Provider
from providers.registry import driver_for

PERIODS = (7, 30, 90)  # days of uptime that are told
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Uptime:
    """Probes and answers of the last `days` days, today included."""

    days: int
    probes: int
    answered: int

    @property
    def percent(self) -> float | None:
        """Rounded down to two decimals, so that 100 means always; None without a probe."""
        return self.answered * 10_000 // self.probes / 100 if self.probes else None


def probe(provider: Provider) -> bool | None:
    """Ask the provider for its capabilities and write down whether it answered.

    None in a maintenance window: it is not asked, and the time does not count.
    Calls the network: not inside a transaction.
    """
    if open_window(provider) is not None:
        return None
    begun, error = time.monotonic(), ""
    try:
        driver_for(provider).capabilities(provider.endpoint())
    except PortalError as problem:
        error = problem.detail
    _count(provider, int((time.monotonic() - begun) * 1000), error)
    if error:
        services.note_failure(provider=provider)
    else:
        services.note_answer(provider=provider)
    return not error


def uptimes(providers: Iterable[Provider]) -> dict[int, list[Uptime]]:
    """Provider → its uptime over each of PERIODS; one query for all of them."""
    ids = [provider.pk for provider in providers]
    today = now().date()
    sums = {}
    for days in PERIODS:
        since = Q(day__gt=today - timedelta(days=days))
        sums[f"probes_{days}"] = Sum("probes", filter=since, default=0)
        sums[f"answered_{days}"] = Sum("answered", filter=since, default=0)
    days_of = HealthDay.objects.filter(
        provider__in=ids, day__gt=today - timedelta(days=max(PERIODS))
    )
    rows: Iterable[dict[str, Any]] = days_of.values("provider").annotate(**sums).order_by()  # type: ignore[assignment]
    found = {row["provider"]: row for row in rows}
    return {
        pk: [
            Uptime(
                days,
                found[pk][f"probes_{days}"] if pk in found else 0,
                found[pk][f"answered_{days}"] if pk in found else 0,
            )
            for days in PERIODS
        ]
        for pk in ids
    }


def days_of(provider: Provider, days: int = max(PERIODS)) -> QuerySet[HealthDay]:
    """The days on which it was asked, the newest first."""
    since: date = now().date() - timedelta(days=days)
    return provider.health_days.filter(day__gt=since)


@transaction.atomic
def _count(provider: Provider, milliseconds: int, error: str) -> None:
    moment = now()
    day, new = HealthDay.objects.get_or_create(provider=provider, day=moment.date())
    changes = {"probes": F("probes") + 1}
    if error:
        HealthDay.objects.filter(pk=day.pk).update(last_error=error[:500], **changes)
    else:
        HealthDay.objects.filter(pk=day.pk).update(
            answered=F("answered") + 1, milliseconds=F("milliseconds") + milliseconds, **changes
        )
    Provider.objects.filter(pk=provider.pk).update(probed_at=moment)
    provider.probed_at = moment
    if new:
        provider.health_days.filter(day__lt=(moment - KEPT).date()).delete()
