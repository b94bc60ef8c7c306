"""Data packages for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from catalogue_client.models import DataPackage, PackageEntry
from catalogue_client.packages import services
from catalogue_client.packages.access import own_package, package_for, visible_packages
from catalogue_client.packages.serializers import (
    EntryRequest,
    EntrySerializer,
    PackageChangeRequest,
    PackageRequest,
    PackageSerializer,
)
from catalogue_client.sources.queries import query_from
from catalogue_client.sources.searching import keep_pace, sources_named
from common.errors import InvalidInput
from people.access import group_for
from people.authentication import signed_in
from people.models import User


class Packages(ListAPIView[DataPackage]):
    """The data packages that you may see, your basket first."""

    serializer_class = PackageSerializer

    def get_queryset(self) -> QuerySet[DataPackage]:
        return visible_packages(signed_in(self.request)).select_related("owner", "group")

    @extend_schema(request=PackageRequest, responses={201: PackageSerializer})
    def post(self, request: Request) -> Response:
        """A new, empty data package."""
        user = signed_in(request)
        body = PackageRequest(data=request.data)
        body.is_valid(raise_exception=True)
        made = services.create(owner=user, **_grouped(user, body.validated_data))
        headers = {"Location": reverse("api:package", args=[made.pk], request=request)}
        return Response(PackageSerializer(made).data, status=201, headers=headers)


class PackageDetail(APIView):
    @extend_schema(responses=PackageSerializer)
    def get(self, request: Request, package_id: UUID) -> Response:
        """One data package; its `address` has what is in it."""
        return Response(PackageSerializer(package_for(signed_in(request), package_id)).data)

    @extend_schema(request=PackageChangeRequest, responses=PackageSerializer)
    def patch(self, request: Request, package_id: UUID) -> Response:
        """Change and share it. A basket that gets a title becomes a package of its own."""
        user = signed_in(request)
        found = own_package(user, package_id)
        body = PackageChangeRequest(data=request.data)
        body.is_valid(raise_exception=True)
        changes = _grouped(user, body.validated_data)
        return Response(
            PackageSerializer(services.update(actor=user, package=found, **changes)).data
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, package_id: UUID) -> Response:
        """Give it up; what it refers to stays where it is."""
        user = signed_in(request)
        services.remove(actor=user, package=own_package(user, package_id))
        return Response(status=204)


class Entries(ListAPIView[PackageEntry]):
    """The references and searches in a data package."""

    serializer_class = EntrySerializer

    def get_queryset(self) -> QuerySet[PackageEntry]:
        package = own_package(signed_in(self.request), self.kwargs["package_id"])
        return package.entries.select_related("source")

    @extend_schema(request=EntryRequest, responses={201: EntrySerializer})
    def post(self, request: Request, package_id: UUID) -> Response:
        """Refer to an entry of a catalogue, or keep a search."""
        user = signed_in(request)
        return _added(user, own_package(user, package_id), request)


class EntryDetail(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, package_id: UUID, entry_id: int) -> Response:
        """Take an entry out."""
        user = signed_in(request)
        package = own_package(user, package_id)
        services.take_out(actor=user, entry=get_object_or_404(package.entries, pk=entry_id))
        return Response(status=204)


class Basket(APIView):
    @extend_schema(responses=PackageSerializer)
    def get(self, request: Request) -> Response:
        """Your basket; it is there from the first time on."""
        return Response(PackageSerializer(services.basket_of(signed_in(request))).data)

    @extend_schema(request=EntryRequest, responses={201: EntrySerializer})
    def post(self, request: Request) -> Response:
        """Put an entry, or a search, into your basket."""
        user = signed_in(request)
        return _added(user, services.basket_of(user), request)


def _added(user: User, package: DataPackage, request: Request) -> Response:
    body = EntryRequest(data=request.data)
    body.is_valid(raise_exception=True)
    said = body.validated_data
    source = sources_named(user, [said["source"]])[0]
    if said.get("query") is not None:
        made = services.add_search(
            actor=user, package=package, source=source, query=query_from(said["query"]),
            title=said.get("title", ""),
        )  # fmt: skip
    elif said.get("identifier"):
        keep_pace(user)
        made = services.add_item(
            actor=user, package=package, source=source, collection=said["collection"],
            identifier=said["identifier"],
        )  # fmt: skip
    else:
        raise InvalidInput("Name an entry, or give a query.", locator="identifier", missing=True)
    return Response(EntrySerializer(made).data, status=201)


def _grouped(user: User, said: dict[str, Any]) -> dict[str, Any]:
    """The group by its short name, if one is given."""
    if not said.get("group"):
        return said
    return {**said, "group": group_for(user, said["group"], "view")}
