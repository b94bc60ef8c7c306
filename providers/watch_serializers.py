"""What is known of a provider over time, as JSON: health, windows, changes, versions, trials."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from providers.differences import differences
from providers.models import HealthDay, MaintenanceWindow, Provider, ProviderChange, ServiceVersion


class UptimeSerializer(serializers.Serializer[Any]):
    """Of the last `days` days, today included; `percent` null without a probe."""

    days = serializers.IntegerField()
    probes = serializers.IntegerField()
    answered = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True)


class HealthDaySerializer(serializers.ModelSerializer[HealthDay]):
    """A day (UTC). `mean_milliseconds`: of the good answers; null without one."""

    mean_milliseconds = serializers.SerializerMethodField()

    class Meta:
        model = HealthDay
        fields = ("day", "probes", "answered", "mean_milliseconds", "last_error")

    def get_mean_milliseconds(self, day: HealthDay) -> int | None:
        return day.milliseconds // day.answered if day.answered else None


class HealthSerializer(serializers.Serializer[Any]):
    probed_at = serializers.DateTimeField(allow_null=True)
    last_answer_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    uptime = UptimeSerializer(many=True)
    days = HealthDaySerializer(many=True)


class WindowSerializer(serializers.ModelSerializer[MaintenanceWindow]):
    created_by = serializers.CharField(source="created_by.username")

    class Meta:
        model = MaintenanceWindow
        fields = ("id", "starts_at", "ends_at", "note", "created_by")


class WindowRequest(serializers.Serializer[Any]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    note = serializers.CharField(
        max_length=300, default="", allow_blank=True, help_text="shown to users"
    )


class ProviderChangeSerializer(serializers.ModelSerializer[ProviderChange]):
    """`actor`: `user:<id>`, or the part of the portal that did it."""

    class Meta:
        model = ProviderChange
        fields = ("at", "actor", "what", "text")


class ApprovalRequest(serializers.Serializer[Any]):
    note = serializers.CharField(
        max_length=1000, default="", allow_blank=True, help_text="sent to the owner"
    )


class CertificateSerializer(serializers.ModelSerializer[Provider]):
    """SHA-256, hexadecimal: `pinned` is the only one accepted, `pending` waits to be activated."""

    pinned = serializers.CharField(source="pinned_certificate")
    pending = serializers.CharField(source="pending_certificate")

    class Meta:
        model = Provider
        fields = ("pinned", "pending")


class CertificateRequest(serializers.Serializer[Any]):
    certificate = serializers.CharField(
        max_length=20_000,
        default="",
        allow_blank=True,
        help_text="PEM or SHA-256; empty: the one that the server shows at present",
    )


class CertificateActivation(serializers.Serializer[Any]):
    fingerprint = serializers.CharField(max_length=100)


class DifferenceSerializer(serializers.Serializer[Any]):
    what = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class ServiceVersionSerializer(serializers.ModelSerializer[ServiceVersion]):
    """`version` is as the provider calls it, `number` as the portal counts."""

    class Meta:
        model = ServiceVersion
        fields: tuple[str, ...] = ("number", "version", "fingerprint", "created_at")


class ServiceVersionDetailSerializer(ServiceVersionSerializer):
    """With the description, and the `differences` from the version before."""

    description = serializers.JSONField(source="document")
    differences = serializers.SerializerMethodField()

    class Meta(ServiceVersionSerializer.Meta):
        fields = (*ServiceVersionSerializer.Meta.fields, "description", "differences")

    @extend_schema_field(DifferenceSerializer(many=True))
    def get_differences(self, version: ServiceVersion) -> Any:
        before: ServiceVersion | None = self.context["before"]
        if before is None:
            return []
        found = differences(before.full_description, version.full_description)
        return DifferenceSerializer(found, many=True).data


class TrialRequest(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=2000)
    username = serializers.CharField(max_length=200, default="", allow_blank=True)
    password = serializers.CharField(
        max_length=1000, default="", allow_blank=True, trim_whitespace=False, write_only=True
    )


class TrialSerializer(serializers.Serializer[Any]):
    """What the server says of itself; `tried` tells what was asked on the way."""

    protocol = serializers.CharField()
    title = serializers.CharField()
    processes = serializers.IntegerField()
    milliseconds = serializers.IntegerField()
    tried = serializers.ListField(child=serializers.CharField())
