"""Sources and what became of their records, to be shown. Callers check who may see them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from catalogue_client.models import HarvestKind, HarvestRun, HarvestSource, HarvestState, RunState


def sources_of(provider_id: int) -> QuerySet[HarvestSource]:
    """The sources of a provider, with `live`, the number of their records that are there, and
    `held`, whether a run waits for a decision."""
    live = Count("records", Q(records__removed_at=None))
    rows = HarvestSource.objects.filter(provider_id=provider_id).annotate(live=live, held=_held())
    return rows.select_related("collection__group", "owner").order_by("name", "pk")


def to_be_read(providers: Iterable[int]) -> QuerySet[HarvestSource]:
    """The sources of these providers that a worker has to read now and then."""
    active = HarvestSource.objects.filter(state=HarvestState.ACTIVE, provider_id__in=providers)
    return active.exclude(kind=HarvestKind.PUSH).filter(~_held())


def _held() -> Exists:
    return Exists(HarvestRun.objects.filter(source=OuterRef("pk"), state=RunState.HELD))
