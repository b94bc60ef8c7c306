"""Applications and the services in them as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounting.models import Rate
from common.serializers import CreditsField
from providers.models import Service
from thematic_apps.models import ThematicApp


class RateSerializer(serializers.ModelSerializer[Rate]):
    """A price: `price` per `unit_size` units, at least `minimum`; `free_quantity` costs nothing."""

    price = CreditsField()
    minimum = CreditsField()

    class Meta:
        model = Rate
        fields = ("unit", "unit_size", "price", "minimum", "free_quantity")


class ServiceSerializer(serializers.ModelSerializer[Service]):
    identifier = serializers.CharField(source="public_identifier")
    provider = serializers.CharField(source="provider.slug")
    provider_name = serializers.CharField(source="provider.name")
    version = serializers.CharField(source="current.version")

    class Meta:
        model = Service
        fields: tuple[str, ...] = (
            "id",
            "identifier",
            "title",
            "abstract",
            "version",
            "provider",
            "provider_name",
        )


class ServiceDetailSerializer(ServiceSerializer):
    """A service with its inputs, outputs and prices (none: it is free)."""

    description = serializers.SerializerMethodField()
    prices = serializers.SerializerMethodField()

    class Meta(ServiceSerializer.Meta):
        fields = (*ServiceSerializer.Meta.fields, "description", "prices")

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_description(self, service: Service) -> dict[str, Any]:
        return service.current.description.to_json() if service.current else {}

    @extend_schema_field(RateSerializer(many=True))
    def get_prices(self, service: Service) -> list[dict[str, Any]]:
        return list(RateSerializer(self.context["rates"], many=True).data)


class ServiceQuery(serializers.Serializer[Any]):
    application = serializers.SlugField(required=False)
    provider = serializers.SlugField(required=False)
    text = serializers.CharField(required=False, max_length=200)


class AppSerializer(serializers.ModelSerializer[ThematicApp]):
    owner = serializers.CharField(source="owner.username")
    bbox = serializers.ListField(child=serializers.FloatField(), read_only=True)

    class Meta:
        model = ThematicApp
        fields: tuple[str, ...] = (
            "slug",
            "title",
            "summary",
            "owner",
            "visibility",
            "bbox",
            "period_start",
            "period_end",
            "collections",
            "updated_at",
        )


class AppDetailSerializer(AppSerializer):
    """An application with the services that may be run in it."""

    services = serializers.SerializerMethodField()

    class Meta(AppSerializer.Meta):
        fields = (*AppSerializer.Meta.fields, "help_text", "services")

    @extend_schema_field(ServiceSerializer(many=True))
    def get_services(self, app: ThematicApp) -> list[dict[str, Any]]:
        return list(ServiceSerializer(self.context["services"], many=True).data)
