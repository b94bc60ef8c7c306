"""Who may open an application, and the one rule who may use a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Q, QuerySet, Subquery

from common.errors import NotFound
from common.prepared import Prepared
from people.access import is_operator
from providers.models import ProviderState, Service
from providers.ports import IN_PROCESS
from thematic_apps.models import OfferStamp, ThematicApp, Visibility

if TYPE_CHECKING:
    from people.models import User


def visible_apps(user: User) -> QuerySet[ThematicApp]:
    """The applications that the user may open."""
    if is_operator(user):
        return ThematicApp.objects.all()
    return _visible(user.pk)


def app_for(user: User, slug: str) -> ThematicApp:
    """The application, if the user may open it; otherwise NotFound."""
    app = visible_apps(user).filter(slug=slug).first()
    if app is None:
        raise NotFound
    return app


def usable_services(user: User, app: ThematicApp | None = None) -> QuerySet[Service]:
    """The services that the user may run now, in one application or in any.

    Whoever may open an application may use its services, subject to credit; a provider's owner may
    also use the provider's own; the portal's own processes are everybody's. A service must be
    switched on, not withdrawn, and its provider approved.
    """
    if app is not None:
        return _on().filter(apps=app)
    return _usable(user.pk, operator=is_operator(user))


def can_use(user: User, service: Service) -> bool:
    """Whether the user may run the service now; what `service_for` gave is not asked for again."""
    if service.usable_by == user.pk:
        return True
    known = _USABLE_BY_ID[is_operator(user)].one(user.pk, service.pk)
    return known is not None


def service_for(user: User, provider_slug: str, identifier: str) -> Service:
    """The service by its provider's slug and identifier, if the user may run it; else NotFound.

    It comes with the stamp of this moment; inside a transaction there is none (as `stamp.stamp`).
    """
    service = _USABLE_BY_NAME[is_operator(user)].one(user.pk, provider_slug, identifier)
    if service is None:
        raise NotFound
    service.usable_by = user.pk
    if connection.in_atomic_block:
        service.stamp = None
    return service


def _on() -> QuerySet[Service]:
    return Service.objects.filter(
        enabled=True,
        withdrawn_at__isnull=True,
        current__isnull=False,
        provider__state=ProviderState.APPROVED,
    ).select_related("provider", "current")


def _usable(user_id: int, *, operator: bool) -> QuerySet[Service]:
    visible = ThematicApp.objects.all() if operator else _visible(user_id)
    in_an_app = Service.objects.filter(apps__in=visible.values("pk")).values("pk")
    everybodys = Q(provider__protocol=IN_PROCESS)
    return _on().filter(Q(pk__in=in_an_app) | Q(provider__owner=user_id) | everybodys)


def _visible(user_id: int) -> QuerySet[ThematicApp]:
    return ThematicApp.objects.filter(_may_open(user_id)).distinct()


def _may_open(user_id: int) -> Q:
    return (
        Q(visibility=Visibility.PUBLIC)
        | Q(owner=user_id)
        | Q(visibility=Visibility.GROUPS, groups__memberships__user=user_id)
    )


_WITH_STAMP = {"stamp": Subquery(OfferStamp.objects.filter(pk=1).values("value"))}


def _by_name(operator: bool) -> Prepared[Service]:
    return Prepared(
        lambda user_id, slug, identifier: (
            _usable(user_id, operator=operator)
            .filter(provider__slug=slug, identifier=identifier)
            .annotate(**_WITH_STAMP)
            .defer("current__document")
        ),
        *(int, str, str),
    )


def _by_id(operator: bool) -> Prepared[Service]:
    return Prepared(
        lambda user_id, pk: (
            _usable(user_id, operator=operator).filter(pk=pk).select_related(None).only("pk")
        ),
        *(int, int),
    )


# Asked with every run. By whether the user is an operator.
_USABLE_BY_NAME = {operator: _by_name(operator) for operator in (False, True)}
_USABLE_BY_ID = {operator: _by_id(operator) for operator in (False, True)}
