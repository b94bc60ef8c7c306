"""Who may see and manage providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from common.errors import Forbidden, NotFound
from people.access import is_operator
from providers.models import Provider, Service

if TYPE_CHECKING:
    from people.models import User

Right = Literal["view", "manage"]


def may_manage(user: User, provider: Provider) -> bool:
    """A provider belongs to its owner; operators may do what the owner may.

    The portal's own is nobody's: what it offers comes with the software.
    """
    if provider.in_process:
        return False
    return user.is_active and (provider.owner_id == user.pk or is_operator(user))


def provider_for(user: User, slug: str, right: Right) -> Provider:
    """The provider with all that its owner sees of it: address, discovery, health.

    Both rights belong to the owner and the operators; for everybody else it does not exist
    (NotFound). Whoever only runs services gets those from `thematic_apps.access`.
    """
    del right
    provider = Provider.objects.select_related("owner").filter(slug=slug).first()
    if provider is None or not may_manage(user, provider):
        raise NotFound
    return provider


def service_of(provider: Provider, identifier: str) -> Service:
    """The provider's service of that (case-sensitive) identifier; else NotFound."""
    service = provider.services.select_related("current").filter(identifier=identifier).first()
    if service is None:
        raise NotFound
    service.provider = provider
    return service


def require_manager(actor: User, provider: Provider) -> None:
    """Raises Forbidden for anybody but the owner and the operators."""
    if not may_manage(actor, provider):
        raise Forbidden("Only the provider's owner and the operators may do this.")


def require_operator(actor: User) -> None:
    """Raises Forbidden for anybody but operators."""
    if not is_operator(actor):
        raise Forbidden("Only operators may do this.")
