"""Providers and what they offer, for their owners and operators."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from common.errors import NotFound
from people.authentication import signed_in
from providers import services
from providers.access import provider_for
from providers.models import DiscoveryRun, Provider, Service
from providers.selectors import manageable_providers, services_of
from providers.serializers import (
    DiscoveryRunSerializer,
    OfferedServiceSerializer,
    ProviderRequest,
    ProviderSerializer,
    ServiceChangeRequest,
)


class Providers(ListAPIView[Provider]):
    """Your providers; all of them for operators."""

    serializer_class = ProviderSerializer

    def get_queryset(self) -> QuerySet[Provider]:
        return manageable_providers(signed_in(self.request)).order_by("name", "pk")

    @extend_schema(request=ProviderRequest, responses={201: ProviderSerializer})
    def post(self, request: Request) -> Response:
        """Register a provider by its address. Its services are discovered at once.

        They can be run when an operator has approved the provider and you have switched them on.
        A failed discovery is told in `discovery_error`.
        """
        body = ProviderRequest(data=request.data)
        body.is_valid(raise_exception=True)
        provider = services.register_provider(owner=signed_in(request), **body.validated_data)
        headers = {"Location": reverse("api:provider", args=[provider.slug], request=request)}
        return Response(ProviderSerializer(provider).data, status=201, headers=headers)


class ProviderDetail(APIView):
    @extend_schema(responses=ProviderSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """One of your providers."""
        return Response(ProviderSerializer(provider_for(signed_in(request), slug, "view")).data)


class Discovery(ListAPIView[DiscoveryRun]):
    """The readings of a provider's capabilities, newest first."""

    serializer_class = DiscoveryRunSerializer

    def get_queryset(self) -> QuerySet[DiscoveryRun]:
        provider = provider_for(signed_in(self.request), self.kwargs["slug"], "view")
        return provider.discovery_runs.all()

    @extend_schema(request=None, responses={201: DiscoveryRunSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Read the provider's capabilities now."""
        user = signed_in(request)
        run = services.discover(provider=provider_for(user, slug, "manage"), actor=user)
        return Response(DiscoveryRunSerializer(run).data, status=201)


class Approval(APIView):
    @extend_schema(request=None, responses=ProviderSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Let the provider's services be run; for operators."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        services.approve_provider(actor=user, provider=provider)
        provider.refresh_from_db()
        return Response(ProviderSerializer(provider).data)


class Suspension(APIView):
    @extend_schema(request=None, responses=ProviderSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Let nothing new be run at the provider; for operators."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        services.suspend_provider(actor=user, provider=provider)
        provider.refresh_from_db()
        return Response(ProviderSerializer(provider).data)


class OfferedServices(ListAPIView[Service]):
    """All services of a provider, also those that are off or withdrawn."""

    serializer_class = OfferedServiceSerializer

    def get_queryset(self) -> QuerySet[Service]:
        return services_of(provider_for(signed_in(self.request), self.kwargs["slug"], "view"))


class OfferedService(APIView):
    @extend_schema(responses=OfferedServiceSerializer)
    def get(self, request: Request, slug: str, service_id: int) -> Response:
        """One service of a provider."""
        return Response(OfferedServiceSerializer(_service(request, slug, service_id)).data)

    @extend_schema(request=ServiceChangeRequest, responses=OfferedServiceSerializer)
    def patch(self, request: Request, slug: str, service_id: int) -> Response:
        """Switch a service on or off, and say how long its runs take at most."""
        service, actor = _service(request, slug, service_id), signed_in(request)
        body = ServiceChangeRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = body.validated_data
        if "expected_wall_seconds" in given or "expected_cpu_seconds" in given:
            services.set_expected_use(
                actor=actor,
                service=service,
                wall_seconds=given.get("expected_wall_seconds", service.expected_wall_seconds),
                cpu_seconds=given.get("expected_cpu_seconds", service.expected_cpu_seconds),
            )
        if "enabled" in given:
            services.set_service_enabled(actor=actor, service=service, enabled=given["enabled"])
        return Response(OfferedServiceSerializer(_service(request, slug, service_id)).data)


def _service(request: Request, slug: str, service_id: int) -> Service:
    provider = provider_for(signed_in(request), slug, "view")
    service = services_of(provider).filter(pk=service_id).first()
    if service is None:
        raise NotFound
    return service
