"""Which processes an address offers to a user, and under which identifiers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from common.errors import Forbidden, InvalidInput, NotFound
from people.models import User
from providers.models import Service
from providers.process import ProcessDescription
from thematic_apps.access import service_for, usable_services


@dataclass(frozen=True, slots=True)
class Offer:
    """The services of one provider by their own identifiers, or of all providers (no `provider`)
    by `<provider>.<process>`."""

    user: User
    provider: str = ""

    def services(self, *, described: bool) -> list[Service]:
        """All that the user may use here, with their (large) descriptions or without.

        Raises NotFound for a provider of which the user may use nothing (as for an unknown one),
        Forbidden when there is nothing at all: the schemas know no empty list.
        """
        usable = usable_services(self.user).order_by("provider__slug", "identifier")
        if self.provider:
            usable = usable.filter(provider__slug=self.provider)
        if not described:
            usable = usable.defer("current__document")
        found = list(usable)
        if not found and self.provider:
            raise NotFound(_("There is no such provider, or none of its services is yours to use."))
        if not found:
            raise Forbidden(
                _("No service is yours to use yet: they come with your groups' applications.")
            )
        return found

    def identifier(self, service: Service) -> str:
        """The identifier of a service at this address."""
        return service.identifier if self.provider else service.public_identifier

    def find(self, identifier: str) -> Service:
        """The service of that identifier; InvalidInput for an unknown one and for one that the
        user may not use."""
        slug, _dot, own = identifier.partition(".")  # a slug has no dot, an identifier may
        if self.provider:
            slug, own = self.provider, identifier
        try:
            return service_for(self.user, slug, own)
        except NotFound:
            raise InvalidInput(
                _("There is no process “%(identifier)s” here.") % {"identifier": identifier[:200]},
                locator="identifier",
            ) from None

    def description(self, service: Service) -> ProcessDescription:
        """The present description, under the identifier of this address."""
        if service.current is None:  # usable services have one
            raise NotFound
        return replace(service.current.description, identifier=self.identifier(service))
