"""How a provider is: health, maintenance windows, trials of a connection."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from people.authentication import signed_in
from providers import health, maintenance, trials
from providers.access import provider_for
from providers.models import MaintenanceWindow
from providers.watch_serializers import (
    HealthSerializer,
    TrialRequest,
    TrialSerializer,
    WindowRequest,
    WindowSerializer,
)


class Health(APIView):
    @extend_schema(responses=HealthSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Whether the provider answers, its uptime, and the last 90 days one by one."""
        provider = provider_for(signed_in(request), slug, "view")
        told = {
            "probed_at": provider.probed_at,
            "last_answer_at": provider.last_answer_at,
            "failing_since": provider.failing_since,
            "uptime": health.uptimes([provider])[provider.pk],
            "days": health.days_of(provider),
        }
        return Response(HealthSerializer(told).data)


class Windows(ListAPIView[MaintenanceWindow]):
    """Maintenance windows that are open or planned, the next one first."""

    serializer_class = WindowSerializer

    def get_queryset(self) -> QuerySet[MaintenanceWindow]:
        provider = provider_for(signed_in(self.request), self.kwargs["slug"], "view")
        return maintenance.not_over(provider)

    @extend_schema(request=WindowRequest, responses={201: WindowSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Plan a window: nothing is sent to the provider in it, jobs wait."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        body = WindowRequest(data=request.data)
        body.is_valid(raise_exception=True)
        window = maintenance.plan(actor=user, provider=provider, **body.validated_data)
        return Response(WindowSerializer(window).data, status=201)


class Window(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str, window_id: int) -> Response:
        """End an open window now, or cancel a planned one."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        maintenance.end(actor=user, provider=provider, window_id=window_id)
        return Response(status=204)


class Trial(APIView):
    @extend_schema(request=None, responses=TrialSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Ask the provider for its capabilities, with the stored credentials. Nothing is kept."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        return Response(TrialSerializer(trials.try_provider(actor=user, provider=provider)).data)


class Trials(APIView):
    @extend_schema(request=TrialRequest, responses=TrialSerializer)
    def post(self, request: Request) -> Response:
        """Look at a server that is not registered: which protocol it speaks, what it offers.

        The address may be that of capabilities, a landing page or an endpoint. Nothing is kept.
        """
        user = signed_in(request)
        body = TrialRequest(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(TrialSerializer(trials.try_address(user=user, **body.validated_data)).data)
