"""Registering catalogues of others; static ones are read by a worker."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from catalogue_client.models import CatalogueSource
from catalogue_client.sources import services
from catalogue_client.sources.access import managed_source, source_for, visible_sources
from catalogue_client.sources.registry import opened_source
from catalogue_client.sources.searching import keep_pace
from catalogue_client.sources.serializers import (
    CollectionInfoSerializer,
    SourceApprovalRequest,
    SourceChangeRequest,
    SourceRequest,
    SourceSerializer,
)
from jobs.source_work import crawl_soon
from people.access import group_for
from people.authentication import signed_in
from people.models import User


class Sources(ListAPIView[CatalogueSource]):
    """The catalogues of others that you may search, beside `portal`, the portal's own."""

    serializer_class = SourceSerializer

    def get_queryset(self) -> QuerySet[CatalogueSource]:
        return visible_sources(signed_in(self.request)).select_related("owner", "group")

    @extend_schema(request=SourceRequest, responses={201: SourceSerializer})
    def post(self, request: Request) -> Response:
        """Register a catalogue by any of its addresses; what it is and can is found by looking.

        A public one is everybody's when an operator has approved it. A static STAC catalogue can be
        searched when a worker has read it.
        """
        user = signed_in(request)
        body = SourceRequest(data=request.data)
        body.is_valid(raise_exception=True)
        made = services.register(owner=user, **_grouped(user, body.validated_data))
        crawl_soon(made)
        headers = {"Location": reverse("api:source", args=[made.slug], request=request)}
        return Response(_shown(request, made), status=201, headers=headers)


class SourceDetail(APIView):
    @extend_schema(responses=SourceSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """One source: what it can do, and how it is."""
        return Response(_shown(request, source_for(signed_in(request), slug)))

    @extend_schema(request=SourceChangeRequest, responses=SourceSerializer)
    def patch(self, request: Request, slug: str) -> Response:
        """Change it. At another origin it needs its credentials, and its approval, again."""
        user = signed_in(request)
        found = managed_source(user, slug)
        body = SourceChangeRequest(data=request.data)
        body.is_valid(raise_exception=True)
        changed = services.update(actor=user, source=found, **_grouped(user, body.validated_data))
        if changed.crawled_at is None:
            crawl_soon(changed)
        return Response(_shown(request, changed))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Forget it, and what data packages refer to in it."""
        user = signed_in(request)
        services.remove(actor=user, source=managed_source(user, slug))
        return Response(status=204)


class SourceCheck(APIView):
    @extend_schema(request=None, responses=SourceSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Ask it now what it can do; a static one is read again by a worker."""
        user = signed_in(request)
        found = managed_source(user, slug)
        services.keep_pace(user)
        services.check(found)
        crawl_soon(found)
        return Response(_shown(request, found))


class SourceApproval(APIView):
    @extend_schema(request=SourceApprovalRequest, responses=SourceSerializer)
    def post(self, request: Request, slug: str) -> Response:
        """Vouch for its address, or no more; for operators."""
        user = signed_in(request)
        found = managed_source(user, slug)
        body = SourceApprovalRequest(data=request.data)
        body.is_valid(raise_exception=True)
        services.approve(actor=user, source=found, **body.validated_data)
        return Response(_shown(request, found))


class SourceCollections(APIView):
    @extend_schema(responses=CollectionInfoSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """What its records are grouped in, as it says now."""
        user = signed_in(request)
        found = source_for(user, slug)
        keep_pace(user)
        adapter, endpoint = opened_source(found, user)
        every = adapter.collections(endpoint)
        return Response(CollectionInfoSerializer(every, many=True).data)


def _grouped(user: User, said: dict[str, Any]) -> dict[str, Any]:
    """The group by its short name, if one is given."""
    if not said.get("group"):
        return said
    return {**said, "group": group_for(user, said["group"], "view")}


def _shown(request: Request, source: CatalogueSource) -> Any:
    return SourceSerializer(source, context={"request": request}).data
