"""Providers and the services discovered there."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.crypto import decrypt
from providers.ports import Endpoint
from providers.process import ProcessDescription


class ProviderState(models.TextChoices):
    PENDING = "pending", _("waiting for approval")
    APPROVED = "approved", _("approved")
    SUSPENDED = "suspended", _("suspended")


class Provider(models.Model):
    """A processing provider: an endpoint that speaks a protocol of some driver."""

    # No dot: a public identifier is `<slug>.<process identifier>`, split at the first dot.
    slug = models.CharField(
        max_length=40, unique=True, validators=(RegexValidator(r"^[a-z0-9][a-z0-9-]{1,39}\Z"),)
    )
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="providers")
    protocol = models.CharField(max_length=20, default="wps-1.0")
    url = models.CharField(max_length=2000)
    state = models.CharField(max_length=10, choices=ProviderState, default=ProviderState.PENDING)
    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, help_text=_("password, encrypted"))
    extra_hosts = models.JSONField(
        default=list,
        blank=True,
        help_text=_("hosts besides the URL's own, confirmed by an operator"),
    )
    reference_header = models.CharField(max_length=60, blank=True, default="X-Remote-Ref")
    lookup_url = models.CharField(max_length=2000, blank=True)
    usage_site = models.CharField(
        max_length=255, blank=True, help_text=_("Site of its APEL records")
    )
    usage_queue = models.CharField(max_length=500, blank=True, help_text=_("directory queue"))
    charge_unsuccessful = models.BooleanField(
        default=False, help_text=_("charge what failed and dismissed jobs used")
    )
    max_running_jobs = models.PositiveIntegerField(default=0, help_text=_("0: no limit"))
    retry_attempts = models.PositiveIntegerField(default=48)
    retry_wait_seconds = models.PositiveIntegerField(default=3600)
    created_at = models.DateTimeField(auto_now_add=True)
    discovered_at = models.DateTimeField(null=True, blank=True)
    discovery_error = models.TextField(blank=True)
    last_answer_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def approved(self) -> bool:
        return self.state == ProviderState.APPROVED

    def endpoint(self) -> Endpoint:
        """What a driver needs to call this provider."""
        return Endpoint(
            url=self.url,
            username=self.username,
            password=decrypt(self.secret) if self.secret else "",
            extra_hosts=tuple(self.extra_hosts),
            reference_header=self.reference_header,
            lookup_url=self.lookup_url,
        )


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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("title", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("provider", "identifier"), name="providers_service_once"
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def public_identifier(self) -> str:
        """The identifier in the aggregated doors: `<provider>.<process>`."""
        return f"{self.provider.slug}.{self.identifier}"

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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("service", "number"), name="providers_version_once"),
        )

    def __str__(self) -> str:
        return f"{self.service} #{self.number}"

    @property
    def description(self) -> ProcessDescription:
        return ProcessDescription.from_json(self.document)


class DiscoveryRun(models.Model):
    """One reading of a provider's capabilities and what it changed."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="discovery_runs")
    at = models.DateTimeField(auto_now_add=True)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    warnings = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.provider} at {self.at:%Y-%m-%d %H:%M}"
