"""The services of a provider, and their descriptions as discovered."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from providers import identity, quotation
from providers.models.provider import Provider
from providers.process import ProcessDescription

# By fingerprint, which is that of the content: nothing to become stale.
_DESCRIPTIONS: dict[str, tuple[ProcessDescription, ProcessDescription]] = {}
MOST_KNOWN = 2000


class Service(models.Model):
    """A process that a provider offers. Discovered services are off until switched on."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="services")
    identifier = models.CharField(max_length=255, help_text=_("the provider's own identifier"))
    title = models.CharField(max_length=255)
    abstract = models.TextField(blank=True)
    enabled = models.BooleanField(default=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    current = models.ForeignKey(
        "ServiceVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )
    expected_wall_seconds = models.PositiveIntegerField(
        default=60, help_text=_("most seconds a run usually takes; priced until there is history")
    )
    expected_cpu_seconds = models.PositiveIntegerField(default=60)
    unquotable_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("asked for a quotation, the provider did something else; not asked again"),
    )
    unquotable_reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("title", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "identifier"), name="providers_service_once"
            ),
        )

    # The user for whom this object was found usable (`thematic_apps.access`).
    usable_by: int | None = None
    # What `thematic_apps.stamp` says of the moment when this object was read, if that is known.
    stamp: str | None = None

    def __str__(self) -> str:
        return self.title

    @property
    def public_identifier(self) -> str:
        """The identifier in the aggregated doors: `<provider>.<process>`."""
        return f"{self.provider.slug}.{self.identifier}"

    @property
    def quotable(self) -> bool:
        """Whether the provider can be asked what a run would use (see `providers.quotation`)."""
        return self.unquotable_since is None and self.current is not None and self.current.quotable

    @property
    def available(self) -> bool:
        """Can be run now by those who may."""
        return (
            self.enabled
            and self.withdrawn_at is None
            and self.current_id is not None
            and self.provider.approved
        )


class ServiceVersion(models.Model):
    """A description as discovered; jobs keep the one they were submitted with."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64, help_text=_("SHA-256 of the description"))
    version = models.CharField(max_length=100, blank=True, help_text=_("as the provider calls it"))
    document = models.JSONField(help_text=_("ProcessDescription"))
    # Known without the document, which lists of services do not read.
    quotable = models.BooleanField(
        default=False, help_text=_("as described, it can be asked what a run would use")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("service", "number"), name="providers_version_once"),
        )

    def __str__(self) -> str:
        return f"{self.service} #{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.quotable = quotation.is_quotable(self.full_description)
        super().save(*args, **kwargs)

    @property
    def description(self) -> ProcessDescription:
        """The process as users see it."""
        return self._descriptions[1]

    @property
    def full_description(self) -> ProcessDescription:
        """The process as the provider describes it, with inputs that are the portal's to fill."""
        return self._descriptions[0]

    @property
    def _descriptions(self) -> tuple[ProcessDescription, ProcessDescription]:
        """In full, and as users see it; the document is read where this process knows neither."""
        known = _DESCRIPTIONS.get(self.fingerprint)
        if known is None:
            full = ProcessDescription.from_json(self.document)
            known = (full, identity.for_users(full))
            if len(_DESCRIPTIONS) >= MOST_KNOWN:
                _DESCRIPTIONS.clear()
            _DESCRIPTIONS[self.fingerprint] = known
        return known
