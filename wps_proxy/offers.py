"""Which processes an address offers to a user, and under which identifiers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from common.errors import Forbidden, InvalidInput, NotFound
from people.models import User
from providers.models import Service, ServiceVersion
from providers.process import ProcessDescription, ProcessSummary
from thematic_apps.access import app_for, service_for, usable_services
from thematic_apps.models import ThematicApp


class NoSuchProcess(InvalidInput):
    """No process of this identifier is there for this user; each protocol has its own word."""

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier[:200]
        super().__init__(
            _("There is no process “%(identifier)s” here.") % {"identifier": self.identifier},
            locator="identifier",
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """The services of one provider by their own identifiers, or of all providers (no `provider`)
    by `<provider>.<process>`; with `application` (its slug) only those that it selects."""

    user: User
    provider: str = ""
    application: str = ""

    @property
    def app(self) -> ThematicApp | None:
        """The application of this address. Raises NotFound when the user may not open it."""
        return app_for(self.user, self.application) if self.application else None

    def usable(self) -> QuerySet[Service]:
        """All that the user may use here, in the order of their identifiers.

        Raises NotFound for an application that the user may not open.
        """
        usable = usable_services(self.user, self.app).order_by("provider__slug", "identifier")
        return usable.filter(provider__slug=self.provider) if self.provider else usable

    def services(self, *, described: bool) -> list[Service]:
        """All that the user may use here, with their (large) descriptions or without.

        Raises NotFound for a provider of which the user may use nothing (as for an unknown one),
        Forbidden when there is nothing at all: the schemas know no empty list.
        """
        usable = self.usable()
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

    def sequence(self) -> str:
        """The updateSequence of the lists of this address: `<number>.<digest>`.

        The number increases with every new description of any service; the digest tells lists with
        other services, titles or providers apart.
        """
        newest = ServiceVersion.objects.aggregate(newest=Max("pk"))["newest"] or 0
        told = self.usable().values_list(
            "pk", "title", "abstract", "current_id", "unquotable_since", "provider__name"
        )
        digest = hashlib.sha256(repr([self.provider, self.application, *told]).encode())
        return f"{newest}.{digest.hexdigest()[:16]}"

    def holds(self, provider: str, application: ThematicApp | None) -> bool:
        """Whether a job of this provider, run in this application, is one of this address."""
        if self.application:
            return application is not None and application.slug == self.application
        return not self.provider or provider == self.provider

    def identifier(self, service: Service) -> str:
        """The identifier of a service at this address."""
        return service.identifier if self.provider else service.public_identifier

    def find(self, identifier: str) -> Service:
        """The service of that identifier; NoSuchProcess for an unknown one and for one that the
        user may not use."""
        slug, _dot, own = identifier.partition(".")  # a slug has no dot, an identifier may
        if self.provider:
            slug, own = self.provider, identifier
        if not self.application:
            try:
                return service_for(self.user, slug, own)
            except NotFound:
                raise NoSuchProcess(identifier) from None
        service = self.usable().filter(provider__slug=slug, identifier=own).first()
        if service is None:
            raise NoSuchProcess(identifier)
        return service

    def summary(self, service: Service) -> ProcessSummary:
        """What a list says of a service, without its description."""
        version = service.current.version if service.current else ""
        return ProcessSummary(self.identifier(service), service.title, service.abstract, version)

    def description(self, service: Service) -> ProcessDescription:
        """The present description, under the identifier of this address."""
        if service.current is None:  # usable services have one
            raise NotFound
        return replace(service.current.description, identifier=self.identifier(service))
