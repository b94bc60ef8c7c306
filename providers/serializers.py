"""Providers as their owners and operators see them, as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from providers.models import CopyPolicy, DiscoveryRun, Provider, Service
from providers.secrets import header_names

MOST_SECONDS = 366 * 24 * 3600


class ProviderSerializer(serializers.ModelSerializer[Provider]):
    """Only the owner and operators ever see this: it names the provider's address."""

    owner = serializers.CharField(source="owner.username")
    service_count = serializers.IntegerField(read_only=True, allow_null=True, default=None)
    enabled_count = serializers.IntegerField(read_only=True, allow_null=True, default=None)

    class Meta:
        model = Provider
        fields: tuple[str, ...] = (
            "id",
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
            "probed_at",
            "last_answer_at",
            "failing_since",
        )


# What PATCH takes besides the password, and answers with.
SETTINGS = (
    "name",
    "description",
    "url",
    "protocol",
    "username",
    "properties",
    "reference_header",
    "trusted",
    "identity_header_prefix",
    "extra_hosts",
    "public_hosts",
    "lookup_url",
    "usage_site",
    "usage_keep_good",
    "usage_without_jobs",
    "charge_unsuccessful",
    "max_running_jobs",
    "max_running_jobs_per_user",
    "max_connections",
    "retry_attempts",
    "retry_wait_seconds",
    "copy_results",
    "results_kept_days",
    "discovery_seconds",
    "probe_seconds",
    "failure_mails",
)


class ProviderDetailSerializer(ProviderSerializer):
    """With the settings; of secrets only whether there are any, and the names of headers."""

    has_password = serializers.BooleanField(source="secret", read_only=True)
    secret_header_names = serializers.SerializerMethodField()
    extra_hosts = serializers.ListField(child=serializers.CharField(), read_only=True)
    public_hosts = serializers.ListField(child=serializers.CharField(), read_only=True)
    properties = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta(ProviderSerializer.Meta):
        fields = (
            *ProviderSerializer.Meta.fields,
            *(name for name in SETTINGS if name not in ProviderSerializer.Meta.fields),
            "has_password",
            "secret_header_names",
            "pinned_certificate",
            "pending_certificate",
        )

    def get_secret_header_names(self, provider: Provider) -> list[str]:
        return header_names(provider)


class ProviderChangeRequest(serializers.Serializer[Any]):
    """Settings to change; what is not given stays as it is.

    Only operators set `usage_without_jobs`, `extra_hosts`, `public_hosts`, `trusted` and
    `identity_header_prefix`.
    """

    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    url = serializers.CharField(max_length=2000, help_text="another host is to be approved again")
    protocol = serializers.CharField(max_length=20)
    username = serializers.CharField(allow_blank=True)
    password = serializers.CharField(
        max_length=1000, allow_blank=True, trim_whitespace=False, write_only=True
    )
    secret_headers = serializers.DictField(
        child=serializers.CharField(max_length=4000, allow_null=True, allow_blank=True),
        write_only=True,
        help_text="header → value, sent with every request; null takes one away",
    )
    properties = serializers.DictField(
        child=serializers.CharField(allow_blank=True), help_text="name → text, shown to users"
    )
    reference_header = serializers.CharField(allow_blank=True)
    identity_header_prefix = serializers.CharField(allow_blank=True)
    trusted = serializers.BooleanField(help_text="it is told who runs a job")
    extra_hosts = serializers.ListField(child=serializers.CharField())
    public_hosts = serializers.ListField(child=serializers.CharField())
    lookup_url = serializers.CharField(max_length=2000, allow_blank=True)
    usage_site = serializers.CharField(allow_blank=True)
    usage_keep_good = serializers.BooleanField(help_text="quarantine only the bad records")
    usage_without_jobs = serializers.BooleanField(
        help_text="it may charge accounts for usage without a job"
    )
    charge_unsuccessful = serializers.BooleanField()
    max_running_jobs = serializers.IntegerField(help_text="0: no limit")
    max_running_jobs_per_user = serializers.IntegerField(help_text="0: no limit")
    max_connections = serializers.IntegerField()
    retry_attempts = serializers.IntegerField()
    retry_wait_seconds = serializers.IntegerField()
    copy_results = serializers.ChoiceField(choices=CopyPolicy.choices)
    results_kept_days = serializers.IntegerField(help_text="at the provider; 0: not known")
    discovery_seconds = serializers.IntegerField(help_text="0: as the portal is set")
    probe_seconds = serializers.IntegerField(help_text="0: never")
    failure_mails = serializers.BooleanField()


class ProviderRequest(serializers.Serializer[Any]):
    """Only `url` is needed: the rest is found by looking at the server, or left empty."""

    url = serializers.CharField(
        max_length=2000, help_text="capabilities, landing page or endpoint; user:password@ too"
    )
    slug = serializers.RegexField(
        r"^([a-z0-9][a-z0-9-]{1,39})?\Z",
        default="",
        allow_blank=True,
        help_text="without a dot; empty: made of the name",
    )
    name = serializers.CharField(
        max_length=200, default="", allow_blank=True, help_text="empty: as the server calls itself"
    )
    protocol = serializers.CharField(
        max_length=20, default="", allow_blank=True, help_text="empty: found by looking"
    )
    username = serializers.CharField(max_length=200, default="", allow_blank=True)
    password = serializers.CharField(
        max_length=1000, default="", allow_blank=True, trim_whitespace=False, write_only=True
    )
    description = serializers.CharField(max_length=5000, default="", allow_blank=True)


class DiscoveryRunSerializer(serializers.ModelSerializer[DiscoveryRun]):
    warnings = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = DiscoveryRun
        fields = ("at", "added", "changed", "withdrawn", "restored", "error", "warnings")


class OfferedServiceSerializer(serializers.ModelSerializer[Service]):
    """A discovered service, with what its owner decides about it.

    `quotable`: its provider is asked for quotations; `unquotable_reason` says why no longer.
    """

    version = serializers.CharField(source="current.version", default="")
    quotable = serializers.BooleanField()

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
            "quotable",
            "unquotable_since",
            "unquotable_reason",
        )


class ServiceChangeRequest(serializers.Serializer[Any]):
    enabled = serializers.BooleanField(required=False)
    expected_wall_seconds = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_SECONDS
    )
    expected_cpu_seconds = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_SECONDS
    )
