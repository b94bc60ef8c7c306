"""Sources of a provider's records, their runs and previews as JSON, for who manages it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalogue_client.harvesting.documents import Incoming
from catalogue_client.harvesting.services import Preview
from catalogue_client.models import (
    HarvestFault,
    HarvestKind,
    HarvestRun,
    HarvestSource,
    HarvestState,
    Visibility,
)
from common.secret_headers import names


class HarvestSourceSerializer(serializers.ModelSerializer[HarvestSource]):
    """Where records come from, and how that is; secrets are never shown."""

    collection = serializers.CharField(source="collection.identifier")
    visibility = serializers.CharField(source="collection.visibility")
    group = serializers.CharField(source="collection.group.slug", default=None)
    parts = serializers.ListField(child=serializers.CharField())
    abilities = serializers.ListField(child=serializers.CharField())
    has_password = serializers.SerializerMethodField()
    secret_header_names = serializers.SerializerMethodField()
    records = serializers.IntegerField(source="live", help_text="that are in the catalogue now")
    held = serializers.BooleanField(help_text="whether a run waits for a decision")

    class Meta:
        model = HarvestSource
        fields = (
            "id", "name", "kind", "url", "parts", "abilities", "collection", "visibility", "group",
            "approved", "username", "has_password", "secret_header_names", "state",
            "every_seconds", "full_every_seconds", "mark", "full_at", "failures", "last_error",
            "records", "held", "token_at", "token_used_at", "created_at",
        )  # fmt: skip

    def get_has_password(self, source: HarvestSource) -> bool:
        return bool(source.secret)

    def get_secret_header_names(self, source: HarvestSource) -> list[str]:
        return names(source.secret_headers)


class HarvestChangeRequest(serializers.Serializer[Any]):
    """What of a source can be changed; what is not given stays as it is."""

    name = serializers.CharField(max_length=200, required=False)
    url = serializers.CharField(max_length=2000, required=False)
    parts = serializers.ListField(
        child=serializers.CharField(max_length=500),
        required=False,
        max_length=100,
        help_text="only these collections or sets of it",
    )
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)
    group = serializers.SlugField(required=False, allow_null=True, help_text="its short name")
    every_seconds = serializers.IntegerField(required=False, allow_null=True)
    full_every_seconds = serializers.IntegerField(required=False, allow_null=True)
    username = serializers.CharField(max_length=200, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, trim_whitespace=False, write_only=True
    )
    secret_headers = serializers.DictField(
        child=serializers.CharField(max_length=4000, allow_null=True, allow_blank=True),
        required=False,
        write_only=True,
        help_text="header → value, sent to its own origin; null takes one away",
    )
    state = serializers.ChoiceField(
        choices=(HarvestState.ACTIVE, HarvestState.PAUSED), required=False
    )


class HarvestRequest(serializers.Serializer[Any]):
    """A catalogue of the provider; with kind `push` the centre sends its records."""

    url = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    kind = serializers.ChoiceField(
        choices=HarvestKind.choices, required=False, help_text="without it the server is looked at"
    )
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    parts = serializers.ListField(
        child=serializers.CharField(max_length=500), required=False, max_length=100
    )
    collection = serializers.CharField(
        max_length=100, required=False, help_text="one that you may change, or a new one"
    )
    visibility = serializers.ChoiceField(choices=Visibility.choices, default=Visibility.PRIVATE)
    group = serializers.SlugField(required=False, allow_null=True)
    every_seconds = serializers.IntegerField(required=False, allow_null=True)
    full_every_seconds = serializers.IntegerField(required=False, allow_null=True)
    username = serializers.CharField(max_length=200, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, trim_whitespace=False
    )
    secret_headers = serializers.DictField(
        child=serializers.CharField(max_length=4000), required=False
    )


class HarvestRunSerializer(serializers.ModelSerializer[HarvestRun]):
    """A run: what it has seen, and what became of it."""

    notes = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = HarvestRun
        fields = (
            "id", "mode", "state", "started_at", "ended_at", "since", "pages", "seconds",
            "matched", "whole", "seen", "added", "changed", "unchanged", "removed", "bad",
            "notes", "error",
        )  # fmt: skip


class HarvestFaultSerializer(serializers.ModelSerializer[HarvestFault]):
    class Meta:
        model = HarvestFault
        fields = ("record", "reason")


class HarvestRunRequest(serializers.Serializer[Any]):
    full = serializers.BooleanField(default=False, help_text="read all of it")


class HarvestDecisionRequest(serializers.Serializer[Any]):
    remove = serializers.BooleanField(help_text="whether what is gone there is taken away here")


class HarvestApprovalRequest(serializers.Serializer[Any]):
    approved = serializers.BooleanField(default=True)


class HarvestTokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="shown this once")


class HarvestLookRequest(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=2000)
    username = serializers.CharField(max_length=200, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, trim_whitespace=False
    )


class HarvestPreviewSerializer(serializers.Serializer[Preview]):
    """The first records as they would be stored, and why others would not."""

    records = serializers.SerializerMethodField(help_text="STAC items")
    errors = serializers.SerializerMethodField()  # type: ignore[assignment]  # (see below)
    matched = serializers.IntegerField(allow_null=True)
    warnings = serializers.ListField(child=serializers.CharField())

    def get_records(self, preview: Preview) -> list[dict[str, Any]]:
        return [_shown(one) for one in preview.items]

    def get_errors(self, preview: Preview) -> list[dict[str, str]]:
        return [{"record": name, "reason": why} for name, why in preview.faults]


class HarvestOutcomeSerializer(serializers.Serializer[Any]):
    """What became of the records of a request."""

    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    # An attribute of serializers too; the name is that of the answer.
    errors = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="records that could not be taken, and why"
    )

    def get_errors(self, outcome: Any) -> list[dict[str, str]]:
        return [{"record": name, "reason": why} for name, why in outcome.errors]


def _shown(one: Incoming) -> dict[str, Any]:
    return {"type": "Feature", **one.document}
