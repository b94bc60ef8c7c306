"""Reading providers and services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, F, Q, QuerySet

from common.errors import NotFound
from people.access import is_operator
from providers.models import DiscoveryRun, Provider, ProviderState, Service, ServiceVersion
from providers.ports import IN_PROCESS

if TYPE_CHECKING:
    from people.models import User


def manageable_providers(user: User) -> QuerySet[Provider]:
    """Providers that the user owns; all registered ones for an operator.

    With `service_count`, `enabled_count`.
    """
    registered = Provider.objects.exclude(protocol=IN_PROCESS)
    mine = registered if is_operator(user) else registered.filter(owner=user)
    offered = Q(services__withdrawn_at=None)
    return mine.select_related("owner").annotate(
        service_count=Count("services", filter=offered),
        enabled_count=Count("services", filter=offered & Q(services__enabled=True)),
    )


def waiting_providers() -> QuerySet[Provider]:
    """Those that an operator has to decide on, the oldest first."""
    return Provider.objects.filter(state=ProviderState.PENDING).order_by("created_at")


def services_of(provider: Provider) -> QuerySet[Service]:
    """All services of a provider, withdrawn ones last."""
    services = provider.services.select_related("current", "provider")
    return services.order_by(F("withdrawn_at").asc(nulls_first=True), "title", "id")


def versions_of(service: Service) -> QuerySet[ServiceVersion]:
    """The descriptions of a service, the newest first."""
    return service.versions.order_by("-number")


def discovery_runs(provider: Provider, *, limit: int = 10) -> list[DiscoveryRun]:
    """The latest readings of a provider's capabilities."""
    return list(provider.discovery_runs.all()[:limit])


def split_identifier(public: str) -> tuple[str, str]:
    """Provider slug and process identifier of `<slug>.<process>`, split at the first dot.

    Raises NotFound when there is no dot.
    """
    slug, dot, identifier = public.partition(".")
    if not (slug and dot and identifier):
        raise NotFound
    return slug, identifier
