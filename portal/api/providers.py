"""Registering providers and having their services read: what a worker does, the portal has done."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from jobs.provider_work import read_soon, reading
from people.authentication import signed_in
from providers import services
from providers.access import provider_for
from providers.models import DiscoveryRun, Provider
from providers.pace import keep_pace
from providers.selectors import manageable_providers
from providers.serializers import DiscoveryRunSerializer, ProviderRequest, ProviderSerializer


class ReadingSerializer(serializers.Serializer[Any]):
    """`waiting` for a worker, `running`, or "" when none is under way."""

    reading = serializers.ChoiceField(choices=("", "waiting", "running"))


class Providers(ListAPIView[Provider]):
    """Your providers; all of them for operators."""

    serializer_class = ProviderSerializer

    def get_queryset(self) -> QuerySet[Provider]:
        return manageable_providers(signed_in(self.request)).order_by("name", "pk")

    @extend_schema(request=ProviderRequest, responses={201: ProviderSerializer})
    def post(self, request: Request) -> Response:
        """Register a provider by any of its addresses; its services are read soon.

        Without `protocol` the server is looked at, and one that cannot be recognised is refused.
        The services can be run when an operator has approved the provider and you have switched
        them on. See `discovery/` for what was found; a failure is told in `discovery_error`.
        """
        user = signed_in(request)
        body = ProviderRequest(data=request.data)
        body.is_valid(raise_exception=True)
        keep_pace(user, "register")
        provider = services.register_provider(owner=user, read=False, **body.validated_data)
        read_soon(provider)
        headers = {"Location": reverse("api:provider", args=[provider.slug], request=request)}
        return Response(ProviderSerializer(provider).data, status=201, headers=headers)


class Discovery(ListAPIView[DiscoveryRun]):
    """The readings of a provider's capabilities, newest first."""

    serializer_class = DiscoveryRunSerializer

    def get_queryset(self) -> QuerySet[DiscoveryRun]:
        provider = provider_for(signed_in(self.request), self.kwargs["slug"], "view")
        return provider.discovery_runs.all()

    @extend_schema(request=None, responses={202: ReadingSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Have the provider's services read as soon as a worker is free.

        GET lists the reading when it is done.
        """
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        keep_pace(user, "read")
        read_soon(provider)
        return Response({"reading": reading(provider)}, status=202)
