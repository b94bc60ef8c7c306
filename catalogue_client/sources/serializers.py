"""Sources and searches as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalogue_client.models import CatalogueSource, SourceKind, Visibility
from catalogue_client.sources.access import may_manage
from catalogue_client.sources.searching import Answer
from common.secret_headers import names
from people.authentication import signed_in


class SourceSerializer(serializers.ModelSerializer[CatalogueSource]):
    """A source as whoever may search it sees it; its address and credentials only by its owner."""

    group = serializers.CharField(source="group.slug", read_only=True, default=None)
    owner = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    username = serializers.SerializerMethodField()
    has_password = serializers.SerializerMethodField()
    secret_header_names = serializers.SerializerMethodField()
    abilities = serializers.ListField(child=serializers.CharField(), read_only=True)
    crawl_notes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = CatalogueSource
        fields = (
            "slug", "name", "description", "kind", "abilities", "visibility", "group", "approved",
            "owner", "url", "username", "has_password", "secret_header_names", "created_at",
            "checked_at", "check_error", "answered_at", "crawled_at", "crawl_notes",
        )  # fmt: skip

    def get_owner(self, source: CatalogueSource) -> str | None:
        return source.owner.username if self._manages(source) else None

    def get_url(self, source: CatalogueSource) -> str | None:
        return source.url if self._manages(source) else None

    def get_username(self, source: CatalogueSource) -> str | None:
        return source.username if self._manages(source) else None

    def get_has_password(self, source: CatalogueSource) -> bool | None:
        return bool(source.secret) if self._manages(source) else None

    def get_secret_header_names(self, source: CatalogueSource) -> list[str]:
        return names(source.secret_headers) if self._manages(source) else []

    def _manages(self, source: CatalogueSource) -> bool:
        return may_manage(signed_in(self.context["request"]), source)


class SourceChangeRequest(serializers.Serializer[Any]):
    """What of a source can be changed; what is not given stays as it is."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    description = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    url = serializers.CharField(max_length=2000, required=False)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)
    group = serializers.SlugField(required=False, allow_null=True, help_text="its short name")
    username = serializers.CharField(max_length=200, required=False, allow_blank=True)
    password = serializers.CharField(
        max_length=1000, required=False, allow_blank=True, trim_whitespace=False, write_only=True
    )
    secret_headers = serializers.DictField(
        child=serializers.CharField(max_length=4000, allow_null=True, allow_blank=True),
        required=False,
        write_only=True,
        help_text="header → value, sent to the source's own origin; null takes one away",
    )


class SourceRequest(SourceChangeRequest):
    """A catalogue to register by any of its addresses."""

    url = serializers.CharField(max_length=2000)
    slug = serializers.CharField(max_length=40, required=False, allow_blank=True)
    kind = serializers.ChoiceField(
        choices=SourceKind.choices, required=False, help_text="without it the server is looked at"
    )


class SourceApprovalRequest(serializers.Serializer[Any]):
    approved = serializers.BooleanField(default=True)


class CollectionInfoSerializer(serializers.Serializer[Any]):
    identifier = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()


class ConditionSerializer(serializers.Serializer[Any]):
    property = serializers.CharField(help_text="as STAC names it, e.g. eo:cloud_cover")
    op = serializers.ChoiceField(choices=("=", "<=", ">="), default="=")
    value = serializers.JSONField(help_text="a text or a number")


class SearchRequest(serializers.Serializer[Any]):
    """A search in one or several sources; `portal` is the portal's own catalogue."""

    sources = serializers.ListField(
        child=serializers.CharField(max_length=40), default=["portal"], max_length=20
    )
    text = serializers.CharField(required=False, allow_blank=True)
    bbox = serializers.ListField(
        child=serializers.FloatField(), required=False, help_text="west, south, east, north"
    )
    intersects = serializers.DictField(required=False, help_text="a GeoJSON geometry")
    datetime = serializers.CharField(required=False, help_text="instant, day, or start/end")
    collections = serializers.ListField(child=serializers.CharField(), required=False)
    ids = serializers.ListField(child=serializers.CharField(), required=False)
    filters = ConditionSerializer(many=True, required=False)
    sort = serializers.CharField(required=False, help_text="a property; - in front: descending")
    limit = serializers.IntegerField(required=False, help_text="of each source, at most 100")
    cursors = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        help_text="source → its `next`: only these sources are asked, for their next page",
    )


class AnswerSerializer(serializers.Serializer[Answer]):
    """What one source answered, or why it did not."""

    source = serializers.CharField(source="slug")  # type: ignore[assignment]
    name = serializers.CharField()
    records = serializers.SerializerMethodField(help_text="STAC items")
    matched = serializers.IntegerField(source="page.matched", allow_null=True)
    next = serializers.CharField(source="cursor", help_text="'' on the last page")
    warnings = serializers.ListField(child=serializers.CharField(), source="page.warnings")
    error = serializers.SerializerMethodField(help_text="null, or code and detail")
    seconds = serializers.FloatField()
    crawled_at = serializers.DateTimeField(
        source="source.crawled_at", default=None, help_text="how old the copy is that was searched"
    )

    def get_records(self, answer: Answer) -> list[dict[str, Any]]:
        return [
            {
                **one.document,
                **({"collection": one.collection} if one.collection else {}),
                "tep:issues": list(one.issues),
            }
            for one in answer.page.records
        ]

    def get_error(self, answer: Answer) -> dict[str, str] | None:
        return {"code": answer.code, "detail": answer.error} if answer.error else None


class AnswersSerializer(serializers.Serializer[Any]):
    results = AnswerSerializer(many=True)
