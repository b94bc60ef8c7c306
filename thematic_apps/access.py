"""Who may open an application, and the one rule who may use a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from common.errors import NotFound
from people.access import is_operator
from providers.models import ProviderState, Service
from thematic_apps.models import ThematicApp, Visibility

if TYPE_CHECKING:
    from people.models import User


def visible_apps(user: User) -> QuerySet[ThematicApp]:
    """The applications that the user may open."""
    if is_operator(user):
        return ThematicApp.objects.all()
    return ThematicApp.objects.filter(_may_open(user)).distinct()


def app_for(user: User, slug: str) -> ThematicApp:
    """The application, if the user may open it; otherwise NotFound."""
    app = visible_apps(user).filter(slug=slug).first()
    if app is None:
        raise NotFound
    return app


def usable_services(user: User, app: ThematicApp | None = None) -> QuerySet[Service]:
    """The services that the user may run now, in one application or in any.

    Whoever may open an application may use its services, subject to credit; a provider's owner may
    also use the provider's own. A service must be switched on, not withdrawn, and its provider
    approved.
    """
    usable = Service.objects.filter(
        enabled=True,
        withdrawn_at__isnull=True,
        current__isnull=False,
        provider__state=ProviderState.APPROVED,
    ).select_related("provider", "current")
    if app is not None:
        return usable.filter(apps=app)
    in_an_app = Service.objects.filter(apps__in=visible_apps(user).values("pk")).values("pk")
    return usable.filter(Q(pk__in=in_an_app) | Q(provider__owner=user))


def can_use(user: User, service: Service) -> bool:
    """Whether the user may run the service now."""
    return usable_services(user).filter(pk=service.pk).exists()


def service_for(user: User, provider_slug: str, identifier: str) -> Service:
    """The service by its provider's slug and identifier, if the user may run it; else NotFound."""
    service = (
        usable_services(user).filter(provider__slug=provider_slug, identifier=identifier).first()
    )
    if service is None:
        raise NotFound
    return service


def _may_open(user: User) -> Q:
    return (
        Q(visibility=Visibility.PUBLIC)
        | Q(owner=user)
        | Q(visibility=Visibility.GROUPS, groups__memberships__user=user)
    )
