"""What a provider offers, also what is off or withdrawn, for its owner and operators."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.errors import NotFound
from people.authentication import signed_in
from providers import services
from providers.access import provider_for
from providers.models import Service, ServiceVersion
from providers.selectors import services_of, versions_of
from providers.serializers import OfferedServiceSerializer, ServiceChangeRequest
from providers.watch_serializers import ServiceVersionDetailSerializer, ServiceVersionSerializer


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


class Versions(ListAPIView[ServiceVersion]):
    """The descriptions of a service as they were discovered, newest first."""

    serializer_class = ServiceVersionSerializer

    def get_queryset(self) -> QuerySet[ServiceVersion]:
        service = _service(self.request, self.kwargs["slug"], self.kwargs["service_id"])
        return versions_of(service).defer("document")


class Version(APIView):
    @extend_schema(responses=ServiceVersionDetailSerializer)
    def get(self, request: Request, slug: str, service_id: int, number: int) -> Response:
        """One description, and what is different in it from the one before."""
        versions = versions_of(_service(request, slug, service_id)).filter(number__lte=number)
        found = list(versions[:2])
        if not found or found[0].number != number:
            raise NotFound
        before = found[1] if len(found) > 1 else None
        return Response(ServiceVersionDetailSerializer(found[0], context={"before": before}).data)


def _service(request: Request, slug: str, service_id: int) -> Service:
    provider = provider_for(signed_in(request), slug, "view")
    service = services_of(provider).filter(pk=service_id).first()
    if service is None:
        raise NotFound
    return service
