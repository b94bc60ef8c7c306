"""Providers as their owners and operators see them, as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from providers.models import DiscoveryRun, Provider, Service

MOST_SECONDS = 366 * 24 * 3600


class ProviderSerializer(serializers.ModelSerializer[Provider]):
    """Only the owner and operators ever see this: it names the provider's address."""

    owner = serializers.CharField(source="owner.username")
    service_count = serializers.IntegerField(read_only=True, allow_null=True, default=None)
    enabled_count = serializers.IntegerField(read_only=True, allow_null=True, default=None)

    class Meta:
        model = Provider
        fields = (
            "slug",
            "name",
            "description",
            "owner",
            "protocol",
            "url",
            "state",
            "service_count",
            "enabled_count",
            "created_at",
            "discovered_at",
            "discovery_error",
            "last_answer_at",
            "failing_since",
        )


class ProviderRequest(serializers.Serializer[Any]):
    slug = serializers.RegexField(r"^[a-z0-9][a-z0-9-]{1,39}\Z", help_text="without a dot")
    name = serializers.CharField(max_length=200)
    url = serializers.CharField(max_length=2000)
    protocol = serializers.CharField(max_length=20, default="wps-1.0")
    username = serializers.CharField(max_length=200, default="", allow_blank=True)
    password = serializers.CharField(
        max_length=1000, default="", allow_blank=True, trim_whitespace=False, write_only=True
    )
    description = serializers.CharField(max_length=5000, default="", allow_blank=True)


class DiscoveryRunSerializer(serializers.ModelSerializer[DiscoveryRun]):
    warnings = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = DiscoveryRun
        fields = ("at", "added", "changed", "withdrawn", "error", "warnings")


class OfferedServiceSerializer(serializers.ModelSerializer[Service]):
    """A discovered service, with what its owner decides about it."""

    version = serializers.CharField(source="current.version", default="")

    class Meta:
        model = Service
        fields = (
            "id",
            "identifier",
            "title",
            "abstract",
            "version",
            "enabled",
            "withdrawn_at",
            "expected_wall_seconds",
            "expected_cpu_seconds",
        )


class ServiceChangeRequest(serializers.Serializer[Any]):
    enabled = serializers.BooleanField(required=False)
    expected_wall_seconds = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_SECONDS
    )
    expected_cpu_seconds = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_SECONDS
    )
