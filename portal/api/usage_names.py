"""Whom the names in providers' records mean, for operators' programs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounting.access import account_for
from accounting.models import UsageName
from accounting.models.ledger import MOST
from accounting.usage.names import LONGEST, add_name, remove_name, usage_names
from common.errors import InvalidInput
from people.authentication import signed_in
from portal.api.usage_sources import ForOperators
from providers.models import Provider


class UsageNameSerializer(serializers.ModelSerializer[UsageName]):
    """`account` pays for usage without a job that the provider reports under this name."""

    provider = serializers.IntegerField(source="provider_id")
    account = serializers.IntegerField(source="account_id")
    account_name = serializers.CharField(source="account.name")

    class Meta:
        model = UsageName
        fields = (
            "id",
            "provider",
            "kind",
            "name",
            "account",
            "account_name",
            "created_by",
            "created_at",
        )


class UsageNameRequest(serializers.Serializer[Any]):
    provider = serializers.SlugField()
    kind = serializers.ChoiceField(choices=("user", "group"))
    name = serializers.CharField(max_length=LONGEST, help_text="as it stands in the records")
    account = serializers.IntegerField(min_value=1, max_value=MOST)


class UsageNames(ForOperators, ListAPIView[UsageName]):
    """The names in providers' records that have an account; `provider` narrows them."""

    serializer_class = UsageNameSerializer

    def get_queryset(self) -> QuerySet[UsageName]:
        slug = self.request.query_params.get("provider")
        rows = usage_names()
        return rows.filter(provider_id=_provider(slug).pk) if slug else rows

    @extend_schema(parameters=[OpenApiParameter("provider", str, description="slug")])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The names, by provider."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=UsageNameRequest, responses={201: UsageNameSerializer})
    def post(self, request: Request) -> Response:
        """Say whose account pays for a name. Records that wait are taken up by rematching."""
        body = UsageNameRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given, user = body.validated_data, signed_in(request)
        row = add_name(
            actor=user,
            provider_id=_provider(given["provider"]).pk,
            kind=given["kind"],
            name=given["name"],
            account=account_for(user, given["account"], "view"),
        )
        place = reverse("api:usage-name", args=[row.pk], request=request)
        return Response(UsageNameSerializer(row).data, status=201, headers={"Location": place})


class UsageNameDetail(ForOperators, APIView):
    @extend_schema(responses=UsageNameSerializer)
    def get(self, request: Request, name_id: int) -> Response:
        """One name and its account."""
        return Response(UsageNameSerializer(get_object_or_404(usage_names(), pk=name_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name_id: int) -> Response:
        """Let nobody pay for the name any more; what was charged stays."""
        remove_name(actor=signed_in(request), row=get_object_or_404(UsageName, pk=name_id))
        return Response(status=204)


def _provider(slug: str) -> Provider:
    found = Provider.objects.filter(slug=slug).first()
    if found is None:
        raise InvalidInput("There is no such provider.", locator="provider")
    return found
