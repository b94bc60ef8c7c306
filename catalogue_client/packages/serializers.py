"""Data packages as JSON."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from catalogue_client.models import DataPackage, PackageEntry, Visibility
from catalogue_client.packages.documents import address_of


class PackageSerializer(serializers.ModelSerializer[DataPackage]):
    owner = serializers.CharField(source="owner.username", read_only=True)
    group = serializers.CharField(source="group.slug", read_only=True, default=None)
    address = serializers.SerializerMethodField(help_text="opens as STAC and as OWS Context")

    class Meta:
        model = DataPackage
        fields = (
            "id", "title", "description", "owner", "visibility", "group", "basket", "address",
            "created_at", "updated_at",
        )  # fmt: skip

    def get_address(self, package: DataPackage) -> str:
        return address_of(package, settings.BASE_URL)


class PackageChangeRequest(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200, required=False)
    description = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    visibility = serializers.ChoiceField(choices=Visibility.choices, required=False)
    group = serializers.SlugField(required=False, allow_null=True, help_text="its short name")


class PackageRequest(PackageChangeRequest):
    title = serializers.CharField(max_length=200)


class EntrySerializer(serializers.ModelSerializer[PackageEntry]):
    source = serializers.CharField(source="source.slug", default="portal")  # type: ignore[assignment]
    query = serializers.DictField(allow_null=True, read_only=True)

    class Meta:
        model = PackageEntry
        fields = ("id", "source", "title", "collection", "identifier", "query", "fetched_at")


class EntryRequest(serializers.Serializer[Any]):
    """An entry of a source (`collection`, `identifier`), or a search in it (`query`, `title`)."""

    source = serializers.CharField(  # type: ignore[assignment]
        max_length=40, default="portal"
    )
    collection = serializers.CharField(max_length=500, default="", allow_blank=True)
    identifier = serializers.CharField(max_length=500, required=False)
    title = serializers.CharField(max_length=300, required=False)
    query = serializers.DictField(required=False, help_text="members of a catalogue search")
