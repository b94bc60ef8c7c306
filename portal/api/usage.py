"""Usage records by HTTP: sent by providers, looked at by them and by operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounting.api.serializers import (
    ImportReportSerializer,
    UsageFaultSerializer,
    UsageRecordSerializer,
)
from accounting.models import MessageState, UsageRecord
from accounting.usage.importer import MOST_BYTES, ImportReport, import_message
from accounting.usage.records import Sender
from accounting.usage.tep_items import Item, items_of, judge
from common.errors import Conflict, Forbidden, InvalidInput, ServerBusy
from common.parsers import RawParser
from jobs.usage_senders import provider_by_site, sender_of
from people.access import is_operator
from people.authentication import signed_in
from people.models import Scope, User
from providers.access import provider_for
from providers.models import Provider


class UsageParser(RawParser):
    """A usage message: its content says what it is, whatever its media type."""

    most = MOST_BYTES


class UsageQuery(serializers.Serializer[Any]):
    provider = serializers.SlugField(required=False)
    state = serializers.CharField(required=False, max_length=9)
    job = serializers.UUIDField(required=False)


class UsageAnswerSerializer(ImportReportSerializer):
    """What became of a message. `status`: created, or duplicate when all of it was known."""

    status = serializers.SerializerMethodField()
    errors = UsageFaultSerializer(  # type: ignore[assignment]  # an attribute of serializers too
        many=True, help_text="of records in quarantine"
    )

    def get_status(self, report: ImportReport) -> str:
        return "duplicate" if _known(report) else "created"


class ItemSerializer(serializers.Serializer[Any]):
    """What became of one record of a list. `status` as of a request with it alone."""

    index = serializers.IntegerField()
    id = serializers.CharField()
    status = serializers.IntegerField()
    result = serializers.CharField(help_text="created, duplicate, conflict, rejected, quarantined")
    faults = UsageFaultSerializer(many=True)


class UsageListSerializer(serializers.Serializer[Any]):
    """The results in the order of the list; `message` is what was stored of it, if anything."""

    message = serializers.CharField(allow_null=True)
    results = ItemSerializer(many=True)


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A message on its way in."""

    body: bytes
    user: User
    sender: Sender
    sites: Mapping[str, int]

    def take(self, body: bytes) -> ImportReport:
        return import_message(
            body,
            source="rest",
            signer=f"user:{self.user.pk}",
            sender=self.sender,
            sites=self.sites,
        )


_ANSWERS: Any = {
    201: UsageAnswerSerializer,
    200: OpenApiResponse(UsageAnswerSerializer, "all of it was taken before: nothing happened"),
    207: OpenApiResponse(UsageListSerializer, "a list of TEP records: a result for each"),
    400: OpenApiResponse(description="refused whole; `faults` lists line, field and reason"),
    403: OpenApiResponse(description="a TEP record names a job of another provider"),
    409: OpenApiResponse(description="a TEP record has the id of another one"),
    413: OpenApiResponse(description="larger than 5 MB"),
}
_BODIES: Any = {
    "text/plain": OpenApiTypes.STR,
    "application/json": OpenApiTypes.OBJECT,
    "application/xml": OpenApiTypes.STR,
}


class UsageRecords(ListAPIView[UsageRecord]):
    """Usage records of your providers; all of them for operators."""

    scope = Scope.USAGE.value
    serializer_class = UsageRecordSerializer
    parser_classes = (UsageParser,)

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
        request=_BODIES,
        responses=_ANSWERS,
    )
    def post(self, request: Request) -> Response:
        """Send a usage message of at most 5 MB; what it is, is seen from its content.

        APEL text; CAR, StAR or OGF usage records as XML; APEL or TEP records as JSON. A message is
        taken whole or not at all (unless it was agreed to keep its good records), and has its
        effect once. A list of TEP records is taken record by record.
        """
        user = signed_in(request)
        return _taken(request, user, _provider(user, request.query_params.get("provider", "")))


class PartnerRecords(APIView):
    """The address at which TEP centres report."""

    scope = Scope.USAGE.value
    parser_classes = (UsageParser,)

    @extend_schema(request=_BODIES, responses=_ANSWERS)
    def post(self, request: Request, provider: str) -> Response:
        """Send usage as the provider that the address names; otherwise as `usage-records`."""
        user = signed_in(request)
        return _taken(request, user, provider_for(user, provider, "manage"))


def _provider(user: User, slug: str) -> Provider | None:
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


def _taken(request: Request, user: User, provider: Provider | None) -> Response:
    body = request.data if isinstance(request.data, bytes) else b""
    sites = provider_by_site() if provider is None else {}
    delivery = _Delivery(body, user, sender_of(provider), sites)
    items = items_of(body)
    if items is None:
        return _message(delivery.take(body))
    judge(items, delivery.sender, sites)
    if body.lstrip().startswith(b"["):
        return _list(delivery, items)
    if items[0].status == HTTPStatus.CONFLICT:
        raise _conflict()
    return _message(delivery.take(body), well_formed=not items[0].faults)


def _message(report: ImportReport, *, well_formed: bool = False) -> Response:
    """The answer to a message; `well_formed`: if it is refused, then for what is stored already."""
    if report.state == MessageState.REJECTED:
        if well_formed:
            raise _conflict()
        raise InvalidInput(
            "The message is refused: nothing of it was taken.",
            locator="body",
            errors={"body": [_said(fault) for fault in report.errors]},
            faults=report.errors,
            id=report.id,
        )
    return Response(UsageAnswerSerializer(report).data, status=200 if _known(report) else 201)


def _known(report: ImportReport) -> bool:
    """Whether nothing of the message was new, in these bytes or in others."""
    return report.duplicate or 0 < report.unchanged == report.records


def _list(delivery: _Delivery, items: list[Item]) -> Response:
    """A result for each record; the new ones are taken together."""
    keep_bad = delivery.sender.keep_good
    new = [one for one in items if one.new or (keep_bad and one.correctable)]
    report = None
    if any(one.new for one in new):
        report = delivery.take(("[" + ",\n".join(one.text for one in new) + "]").encode())
        if report.state == MessageState.REJECTED:
            # Each was right a moment ago: somebody else stored one of them meanwhile.
            raise ServerBusy
    results = [one.result(kept=report is not None and keep_bad) for one in items]
    document = {"message": report.id if report else None, "results": results}
    return Response(UsageListSerializer(document).data, status=207)


def _conflict() -> Conflict:
    return Conflict("There is a record with this id, and it says something else.")


def _said(fault: dict[str, Any]) -> str:
    where = f"line {fault['line']}" if fault.get("line") else ""
    parts = [where, str(fault.get("field") or ""), str(fault["reason"])]
    return ": ".join(part for part in parts if part)
