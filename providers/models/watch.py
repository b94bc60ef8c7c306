"""What is known of a provider over time: discovery, health, maintenance."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.models.provider import Provider


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


class HealthDay(models.Model):
    """How a provider answered on one day (UTC). `milliseconds` is the sum over the good answers."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="health_days")
    day = models.DateField()
    probes = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    milliseconds = models.BigIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ("-day",)
        constraints = (
            models.UniqueConstraint(fields=("provider", "day"), name="providers_health_day_once"),
        )

    def __str__(self) -> str:
        return f"{self.provider} on {self.day}: {self.answered} of {self.probes}"


class MaintenanceWindow(models.Model):
    """A time in which nothing is sent to a provider: jobs wait, what runs there is followed."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="maintenance_windows")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True, help_text=_("shown to users"))
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        ordering = ("starts_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="providers_maintenance_order"
            ),
        )
        indexes = (models.Index(fields=("provider", "ends_at"), name="providers_maintenance_end"),)

    def __str__(self) -> str:
        return f"{self.provider} from {self.starts_at:%Y-%m-%d %H:%M}"


class ProviderChange(models.Model):
    """Who changed what of a provider's registration, approval included; secrets only by name."""

    provider = models.ForeignKey(Provider, models.CASCADE, related_name="changes")
    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=64, help_text=_("user:<id> or the part of the portal"))
    what = models.CharField(max_length=60)
    text = models.TextField(blank=True)

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.provider}: {self.what}"
