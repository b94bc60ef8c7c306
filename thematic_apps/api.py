"""Applications, and the services that may be run, for programs."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounting.prices.pricing import current_rates
from common.errors import NotFound
from people.authentication import signed_in
from providers.models import Service
from thematic_apps.access import app_for, usable_services, visible_apps
from thematic_apps.models import ThematicApp
from thematic_apps.serializers import (
    AppDetailSerializer,
    AppSerializer,
    ServiceDetailSerializer,
    ServiceQuery,
    ServiceSerializer,
)


class Services(ListAPIView[Service]):
    """The services that you may run."""

    serializer_class = ServiceSerializer

    def get_queryset(self) -> QuerySet[Service]:
        query = ServiceQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        given, user = query.validated_data, signed_in(self.request)
        slug = given.get("application")
        services = usable_services(user, app_for(user, slug) if slug else None)
        if "provider" in given:
            services = services.filter(provider__slug=given["provider"])
        if "text" in given:
            text = given["text"]
            services = services.filter(Q(title__icontains=text) | Q(abstract__icontains=text))
        return services

    @extend_schema(parameters=[ServiceQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Services by title."""
        return super().get(request, *args, **kwargs)


class ServiceDetail(APIView):
    @extend_schema(responses=ServiceDetailSerializer)
    def get(self, request: Request, service_id: int) -> Response:
        """A service with its whole description and its prices."""
        service = usable_services(signed_in(request)).filter(pk=service_id).first()
        if service is None:
            raise NotFound
        rates = []
        if not service.provider.in_process:  # which is free of charge
            rates = current_rates(service.provider_id, service.pk)
        return Response(ServiceDetailSerializer(service, context={"rates": rates}).data)


class Applications(ListAPIView[ThematicApp]):
    """The applications that you may open."""

    serializer_class = AppSerializer

    def get_queryset(self) -> QuerySet[ThematicApp]:
        return visible_apps(signed_in(self.request)).select_related("owner")


class ApplicationDetail(APIView):
    @extend_schema(responses=AppDetailSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """An application with its services."""
        user = signed_in(request)
        app = app_for(user, slug)
        services = usable_services(user, app)
        return Response(AppDetailSerializer(app, context={"services": services}).data)
