"""Where usage is fetched from, for operators' programs."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounting.models import UsageSource
from accounting.sources.configure import delete_source, save_source
from common.errors import InvalidInput, NotFound
from jobs.usage_work import look_now
from people.access import is_operator
from people.authentication import signed_in
from people.models import User
from providers.models import Provider


class UsageSourceSerializer(serializers.ModelSerializer[UsageSource]):
    """A source as it is; whether it has secrets, and never which."""

    provider = serializers.SlugField(read_only=True, allow_null=True)
    has_secret = serializers.BooleanField(source="secret", read_only=True)
    has_decryption_key = serializers.BooleanField(source="decryption_key", read_only=True)

    class Meta:
        model = UsageSource
        fields = (
            *("id", "provider", "name", "kind", "address", "destination", "username", "options"),
            *("has_secret", "signed", "signers", "authorities", "has_decryption_key"),
            *("every_seconds", "enabled", "last_run_at", "last_message_at", "last_error"),
            *("failures", "created_at"),
        )
        read_only_fields = fields

    def to_representation(self, instance: UsageSource) -> dict[str, Any]:
        shown = super().to_representation(instance)
        slugs: dict[int, str] = self.context["slugs"]
        return {**shown, "provider": slugs.get(instance.provider_id or 0)}


class UsageSourceRequest(serializers.Serializer[Any]):
    """Settings of a source. Secrets are stored encrypted; what is not given stays as it is."""

    provider = serializers.SlugField(allow_null=True, help_text="whose usage it brings")
    name = serializers.CharField()
    kind = serializers.CharField(help_text="dirq, stomp, ams, apel-rest, egi, t2, …")
    address = serializers.CharField(help_text="folder, host:port or URL")
    destination = serializers.CharField(allow_blank=True, help_text="queue; project/subscription")
    username = serializers.CharField(allow_blank=True)
    secret = serializers.CharField(allow_blank=True, write_only=True)
    options = serializers.DictField()
    signed = serializers.BooleanField(help_text="only messages with a valid signature")
    signers = serializers.ListField(child=serializers.CharField(max_length=1000))
    authorities = serializers.CharField(allow_blank=True, help_text="trusted certificates, PEM")
    decryption_key = serializers.CharField(allow_blank=True, write_only=True)
    every_seconds = serializers.IntegerField()
    enabled = serializers.BooleanField()

    NEEDED = frozenset({"name", "kind", "address"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, one in self.fields.items():
            one.required = name in self.NEEDED


class ForOperators(APIView):
    """For everybody else these addresses do not exist."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not is_operator(signed_in(request)):
            raise NotFound


def _slugs() -> dict[int, str]:
    return dict(Provider.objects.values_list("pk", "slug"))


class UsageSources(ForOperators, ListAPIView[UsageSource]):
    serializer_class = UsageSourceSerializer

    def get_queryset(self) -> QuerySet[UsageSource]:
        return UsageSource.objects.all()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "slugs": _slugs()}

    @extend_schema(request=UsageSourceRequest, responses={201: UsageSourceSerializer})
    def post(self, request: Request) -> Response:
        """Set up a source: from now on it is asked for usage."""
        source = _save(signed_in(request), UsageSource(), UsageSourceRequest(data=request.data))
        place = reverse("api:usage-source", args=[source.pk], request=request)
        return Response(_shown(source), status=201, headers={"Location": place})


class UsageSourceDetail(ForOperators):
    @extend_schema(responses=UsageSourceSerializer)
    def get(self, request: Request, source_id: int) -> Response:
        """One source, and how asking it went."""
        return Response(_shown(_source(source_id)))

    @extend_schema(request=UsageSourceRequest, responses=UsageSourceSerializer)
    def patch(self, request: Request, source_id: int) -> Response:
        """Change settings. At another address the secret has to be given again."""
        given = UsageSourceRequest(data=request.data, partial=True)
        return Response(_shown(_save(signed_in(request), _source(source_id), given)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, source_id: int) -> Response:
        """Ask it no more. What came from it stays."""
        delete_source(signed_in(request), _source(source_id))
        return Response(status=204)


class UsageSourceLook(ForOperators):
    @extend_schema(request=None, responses={202: UsageSourceSerializer})
    def post(self, request: Request, source_id: int) -> Response:
        """Ask it as soon as a worker is free."""
        source = _source(source_id)
        if not source.enabled:
            raise InvalidInput("The source is switched off.", locator="enabled")
        look_now(source.pk)
        return Response(_shown(source), status=202)


def _source(source_id: int) -> UsageSource:
    return get_object_or_404(UsageSource, pk=source_id)


def _shown(source: UsageSource) -> dict[str, Any]:
    return UsageSourceSerializer(source, context={"slugs": _slugs()}).data


def _save(user: User, source: UsageSource, given: UsageSourceRequest) -> UsageSource:
    given.is_valid(raise_exception=True)
    changes = dict(given.validated_data)
    if "provider" in changes:
        changes["provider_id"] = _provider_id(changes.pop("provider"))
    saved = save_source(user, source, changes)
    if saved.enabled:
        look_now(saved.pk)
    return saved


def _provider_id(slug: str | None) -> int | None:
    if slug is None:
        return None
    found = Provider.objects.filter(slug=slug).values_list("pk", flat=True).first()
    if found is None:
        raise InvalidInput("There is no such provider.", locator="provider")
    return found
