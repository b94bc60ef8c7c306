"""What spans several packages in the REST API: its root, prices, usage records, downloads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.generics import ListAPIView
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from accounting.models import Rate, Unit, UsageRecord
from accounting.models.ledger import MOST
from accounting.pricing import WHOLE_PROVIDER, RateSpec, current_list, publish_rates
from accounting.serializers import ImportReportSerializer, UsageRecordSerializer
from accounting.usage import MOST_BYTES, import_message
from common.errors import Forbidden, InvalidInput, TooLarge
from common.serializers import CreditsField
from jobs.access import output_for
from jobs.downloads import download
from people.access import is_operator
from people.authentication import signed_in
from people.models import Scope, User
from providers.access import provider_for
from providers.models import Provider

LISTS = (
    "services",
    "quotes",
    "jobs",
    "accounts",
    "usage-records",
    "providers",
    "applications",
    "groups",
    "api-keys",
    "schema",
    "docs",
)


class Root(APIView):
    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Where everything is."""
        return Response({name: reverse(f"api:{name}", request=request) for name in LISTS})


# --- prices --------------------------------------------------------------------------------


class PriceSerializer(serializers.Serializer[Any]):
    """`price` per `unit_size` units; `service` null: for every service of the provider."""

    service = serializers.IntegerField(allow_null=True, default=None, min_value=1)
    unit = serializers.ChoiceField(choices=Unit.choices)
    price = CreditsField(least=0)
    unit_size = serializers.IntegerField(default=1, min_value=1, max_value=MOST)
    minimum = CreditsField(least=0, default=0)
    free_quantity = serializers.IntegerField(default=0, min_value=0, max_value=MOST)


class PriceListSerializer(serializers.Serializer[Any]):
    """The prices of a provider that hold now; `version` 0: there are none, all is free."""

    version = serializers.IntegerField(read_only=True)
    effective_from = serializers.DateTimeField(read_only=True, allow_null=True)
    currency = serializers.CharField(read_only=True)
    prices = PriceSerializer(many=True)


class Prices(APIView):
    @extend_schema(responses=PriceListSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """The prices of one of your providers."""
        return self._answer(provider_for(signed_in(request), slug, "view"))

    @extend_schema(request=PriceListSerializer, responses=PriceListSerializer)
    def put(self, request: Request, slug: str) -> Response:
        """Publish all prices of the provider anew; jobs and quotes keep those they were given."""
        user = signed_in(request)
        provider = provider_for(user, slug, "manage")
        body = PriceListSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rates = _rates(provider, body.validated_data["prices"])
        publish_rates(actor=user, provider_id=provider.pk, rates=rates)
        return self._answer(provider)

    @staticmethod
    def _answer(provider: Provider) -> Response:
        present = current_list(provider.pk)
        rates = present.rates.order_by("service_id", "unit") if present else Rate.objects.none()
        document = {
            "version": present.version if present else 0,
            "effective_from": present.effective_from if present else None,
            "currency": present.currency if present else "CRD",
            "prices": [
                {
                    "service": rate.service_id or None,
                    "unit": rate.unit,
                    "price": rate.price,
                    "unit_size": rate.unit_size,
                    "minimum": rate.minimum,
                    "free_quantity": rate.free_quantity,
                }
                for rate in rates
            ],
        }
        return Response(PriceListSerializer(document).data)


def _rates(provider: Provider, prices: list[dict[str, Any]]) -> dict[tuple[int, str], RateSpec]:
    known = set(provider.services.values_list("pk", flat=True)) | {WHOLE_PROVIDER}
    rates: dict[tuple[int, str], RateSpec] = {}
    for price in prices:
        service_id = price["service"] or WHOLE_PROVIDER
        if service_id not in known:
            raise InvalidInput(f"The provider has no service {service_id}.", locator="prices")
        if (service_id, price["unit"]) in rates:
            raise InvalidInput("There are two prices for the same.", locator="prices")
        rates[service_id, price["unit"]] = RateSpec(
            price["price"], price["unit_size"], price["minimum"], price["free_quantity"]
        )
    return rates


# --- usage records -------------------------------------------------------------------------


class RawParser(BaseParser):
    """Leaves a usage message as it is; the view reads it."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        declared = int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0)
        if declared > MOST_BYTES:
            raise TooLarge(limit=MOST_BYTES)
        body = bytes(stream.read(MOST_BYTES + 1))
        if len(body) > MOST_BYTES:
            raise TooLarge(limit=MOST_BYTES)
        return body


class UsageQuery(serializers.Serializer[Any]):
    provider = serializers.SlugField(required=False)
    state = serializers.CharField(required=False, max_length=9)
    job = serializers.UUIDField(required=False)


class UsageRecords(ListAPIView[UsageRecord]):
    """Usage records of your providers; all of them for operators."""

    scope = Scope.USAGE.value
    serializer_class = UsageRecordSerializer
    parser_classes = (RawParser,)

    def get_queryset(self) -> QuerySet[UsageRecord]:
        user = signed_in(self.request)
        query = UsageQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        records = UsageRecord.objects.filter(superseded_by=None)
        if not is_operator(user):
            records = records.filter(provider_id__in=user.providers.values("pk"))
        if "provider" in given:
            provider = provider_for(user, given["provider"], "view")
            records = records.filter(provider_id=provider.pk)
        narrowed = Q(**{"state": given["state"]} if "state" in given else {})
        narrowed &= Q(**{"bill": given["job"]} if "job" in given else {})
        return records.filter(narrowed).order_by("-pk")

    @extend_schema(parameters=[UsageQuery])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The newest revision of each record, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "provider", str, description="whose records these are, if you have several"
            )
        ],
        request={"text/plain": OpenApiTypes.STR},
        responses={
            201: ImportReportSerializer,
            200: OpenApiResponse(ImportReportSerializer, "the same message was taken before"),
            400: OpenApiResponse(description="the message is refused whole; lists what is wrong"),
        },
    )
    def post(self, request: Request) -> Response:
        """Send a usage message: APEL text (`APEL-individual-job-message`), at most 5 MB.

        A message is taken whole or not at all, and has its effect once.
        """
        user = signed_in(request)
        provider = _sender(user, request.query_params.get("provider", ""))
        if (request.content_type or "").split(";")[0].strip().lower() not in MESSAGE_TYPES:
            raise UnsupportedMediaType(
                request.content_type or "",
                "Usage messages are taken as text/plain (APEL text); JSON and XML are not.",
            )
        report = import_message(
            request.data if isinstance(request.data, bytes) else b"",
            source="rest",
            signer=f"user:{user.pk}",
            provider_id=provider.pk if provider else None,
            sites=_sites() if provider is None else None,
        )
        if report.state == "REJECTED":
            raise InvalidInput(
                "The message is refused: nothing of it was taken.",
                locator="body",
                errors={"body": [_fault(fault) for fault in report.errors]},
                faults=report.errors,
                sha256=report.sha256,
            )
        answer = ImportReportSerializer(report).data
        return Response(answer, status=200 if report.duplicate else 201)


MESSAGE_TYPES = ("text/plain", "application/octet-stream", "")


def _sender(user: User, slug: str) -> Provider | None:
    """The provider whose usage the user may report; None for an operator who names none."""
    if slug:
        return provider_for(user, slug, "manage")
    if is_operator(user):
        return None
    own = list(user.providers.all()[:2])
    if not own:
        raise Forbidden("Only providers report usage.")
    if len(own) > 1:
        raise InvalidInput("Say which of your providers this is from.", locator="provider")
    return own[0]


def _sites() -> dict[str, int]:
    """Which provider a record's Site is; a Site that several claim is nobody's."""
    claimed: dict[str, set[int]] = {}
    for site, pk in Provider.objects.exclude(usage_site="").values_list("usage_site", "pk"):
        claimed.setdefault(site, set()).add(pk)
    return {site: pks.pop() for site, pks in claimed.items() if len(pks) == 1}


def _fault(fault: dict[str, Any]) -> str:
    where = f"line {fault['line']}" if fault.get("line") else ""
    parts = [where, str(fault.get("field") or ""), str(fault["reason"])]
    return ": ".join(part for part in parts if part)


# --- downloads -----------------------------------------------------------------------------


class OutputContent(APIView):
    @extend_schema(responses={(200, "*/*"): OpenApiTypes.BINARY})
    def get(self, request: Request, job_id: UUID, number: int) -> HttpResponseBase:
        """The bytes of an output, streamed from its provider; `Range` works where it can."""
        found = output_for(signed_in(request), job_id, number)
        return download(request._request, found, to_file=True)
