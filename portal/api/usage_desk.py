"""The usage console for programs: what came, what waits, what is missing, and what to do about it.

Operators see everything, the owner of a provider what is of the own providers.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounting.accounts import provider_account
from accounting.api.serializers import ImportReportSerializer, UsageRecordSerializer
from accounting.models import JobBill, QuarantinedRecord, UsageMessage, UsageRecord
from accounting.revenue import revenue_by_month, revenue_by_service
from accounting.usage import desk
from accounting.usage.overview import missing_usage, overview
from common.clock import now
from common.errors import Forbidden
from common.serializers import CreditsField
from people.authentication import signed_in
from people.models import Scope as KeyScope
from portal.usage_scope import Scope, scope_for
from providers.access import provider_for

DAYS = 30


def _scope(request: Request) -> Scope:
    return scope_for(signed_in(request), request.query_params.get("provider", ""))


class ProviderUsageSerializer(serializers.Serializer[Any]):
    """`messages`, `records`, `matched`, `cost`: of the last 30 days; the rest: now."""

    provider = serializers.IntegerField(source="provider_id", allow_null=True)
    messages = serializers.IntegerField()
    records = serializers.IntegerField()
    matched = serializers.IntegerField()
    cost = CreditsField()
    rejected = serializers.IntegerField()
    unmatched = serializers.IntegerField()
    held_back = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    missing = serializers.IntegerField()
    missing_since = serializers.DateTimeField(allow_null=True)


MESSAGE = (
    "id",
    "source",
    "signer",
    "provider",
    "header",
    "received_at",
    "state",
    "records_count",
    "errors",
    "dropped_by",
)


class UsageMessageSerializer(serializers.ModelSerializer[UsageMessage]):
    provider = serializers.IntegerField(source="provider_id", allow_null=True)

    class Meta:
        model = UsageMessage
        fields: tuple[str, ...] = MESSAGE


class WholeMessageSerializer(UsageMessageSerializer):
    class Meta(UsageMessageSerializer.Meta):
        fields = (*MESSAGE, "warnings", "body")


class QuarantinedSerializer(serializers.ModelSerializer[QuarantinedRecord]):
    provider = serializers.IntegerField(source="provider_id", allow_null=True)

    class Meta:
        model = QuarantinedRecord
        fields = ("id", "message", "provider", "line", "text", "faults", "state")


class MissingSerializer(serializers.ModelSerializer[JobBill]):
    """A job at its end whose usage nobody reported; its hold is released at `until`."""

    job = serializers.UUIDField(source="job_id")
    provider = serializers.IntegerField(source="provider_id")
    held = CreditsField(source="hold.amount")
    until = serializers.DateTimeField(source="hold.expires_at")

    class Meta:
        model = JobBill
        fields = ("job", "provider", "provider_job_id", "ended_at", "held", "until")


class AssignRequest(serializers.Serializer[Any]):
    job = serializers.UUIDField()


class CorrectedRequest(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=100_000, trim_whitespace=False)


class RematchSerializer(serializers.Serializer[Any]):
    found = serializers.IntegerField(help_text="records that have a job or an account now")


class UsageOverview(APIView):
    @extend_schema(responses=ProviderUsageSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Usage by provider: received, matched, in quarantine, missing."""
        lines = overview(_scope(request).ids, since=now() - timedelta(days=DAYS))
        return Response(ProviderUsageSerializer(lines, many=True).data)


class UsageMessages(ListAPIView[UsageMessage]):
    """Usage messages as they came in, newest first; `state` narrows them."""

    serializer_class = UsageMessageSerializer

    def get_queryset(self) -> QuerySet[UsageMessage]:
        rows = _scope(self.request).within(UsageMessage.objects.defer("body", "warnings"))
        state = self.request.query_params.get("state")
        return rows.filter(state=state) if state else rows


class UsageMessageDetail(RetrieveAPIView[UsageMessage]):
    """A usage message with its text."""

    serializer_class = WholeMessageSerializer
    lookup_url_kwarg = "message_id"

    def get_queryset(self) -> QuerySet[UsageMessage]:
        return _scope(self.request).within(UsageMessage.objects.all())


class UsageMessageRetry(APIView):
    scope = KeyScope.USAGE.value

    @extend_schema(request=None, responses=ImportReportSerializer)
    def post(self, request: Request, message_id: str) -> Response:
        """Take a refused message in again, by the rules of now."""
        rows = _scope(request).within(UsageMessage.objects.all())
        found = get_object_or_404(rows, pk=message_id)
        report = desk.retry_message(found, actor=signed_in(request))
        return Response(ImportReportSerializer(report).data)


class UsageMessageDrop(APIView):
    scope = KeyScope.USAGE.value

    @extend_schema(request=None, responses=UsageMessageSerializer)
    def post(self, request: Request, message_id: str) -> Response:
        """Say that a refused message is done with: it no longer counts as waiting."""
        rows = _scope(request).within(UsageMessage.objects.all())
        found = get_object_or_404(rows, pk=message_id)
        dropped = desk.drop_message(found, actor=signed_in(request))
        return Response(UsageMessageSerializer(dropped).data)


class Quarantine(ListAPIView[QuarantinedRecord]):
    """Bad records of messages whose good ones were loaded."""

    serializer_class = QuarantinedSerializer

    def get_queryset(self) -> QuerySet[QuarantinedRecord]:
        return _scope(self.request).within(QuarantinedRecord.objects.filter(state="WAITING"))


class _Quarantined(APIView):
    scope = KeyScope.USAGE.value

    def row(self, request: Request, row_id: int) -> QuarantinedRecord:
        rows = _scope(request).within(QuarantinedRecord.objects.select_related("message"))
        return get_object_or_404(rows, pk=row_id)

    def answer(self, row: QuarantinedRecord) -> Response:
        row.refresh_from_db()
        return Response(QuarantinedSerializer(row).data)


class QuarantinedLoad(_Quarantined):
    @extend_schema(request=CorrectedRequest, responses=QuarantinedSerializer)
    def post(self, request: Request, row_id: int) -> Response:
        """Load a bad record as `text` says it now."""
        row = self.row(request, row_id)
        body = CorrectedRequest(data=request.data)
        body.is_valid(raise_exception=True)
        desk.load_quarantined(row, body.validated_data["text"], actor=signed_in(request))
        return self.answer(row)


class QuarantinedDrop(_Quarantined):
    @extend_schema(request=None, responses=QuarantinedSerializer)
    def post(self, request: Request, row_id: int) -> Response:
        """Drop a bad record."""
        row = self.row(request, row_id)
        desk.drop_quarantined(row, actor=signed_in(request))
        return self.answer(row)


class _OperatorsRecord(APIView):
    def record(self, request: Request, record_id: int) -> UsageRecord:
        """Raises NotFound for others' records, Forbidden for who is not an operator."""
        scope = _scope(request)
        found = get_object_or_404(scope.within(UsageRecord.objects.all()), pk=record_id)
        if not scope.everything:
            raise Forbidden("Only operators decide which job a record belongs to.")
        return found

    def answer(self, record: UsageRecord) -> Response:
        record.refresh_from_db()
        return Response(UsageRecordSerializer(record).data)


class RecordAssign(_OperatorsRecord):
    @extend_schema(request=AssignRequest, responses=UsageRecordSerializer)
    def post(self, request: Request, record_id: int) -> Response:
        """Say which job a record without one belongs to; for operators."""
        record = self.record(request, record_id)
        body = AssignRequest(data=request.data)
        body.is_valid(raise_exception=True)
        desk.assign_to_job(record, body.validated_data["job"], actor=signed_in(request))
        return self.answer(record)


class RecordRelease(_OperatorsRecord):
    @extend_schema(request=None, responses=UsageRecordSerializer)
    def post(self, request: Request, record_id: int) -> Response:
        """Let a record that was held back count; for operators."""
        record = self.record(request, record_id)
        desk.release_held_back(record, actor=signed_in(request))
        return self.answer(record)


class Rematch(APIView):
    scope = KeyScope.USAGE.value

    @extend_schema(request=None, responses=RematchSerializer)
    def post(self, request: Request) -> Response:
        """Look once more for the jobs and accounts of records that have none."""
        return Response({"found": desk.rematch(_scope(request).ids)})


class MissingUsage(ListAPIView[JobBill]):
    """Jobs at their end whose usage nobody reported, the oldest first."""

    serializer_class = MissingSerializer

    def get_queryset(self) -> QuerySet[JobBill]:
        return missing_usage(_scope(self.request).ids)


class MonthRevenueSerializer(serializers.Serializer[Any]):
    month = serializers.DateField()
    jobs = serializers.IntegerField()
    charges = CreditsField()
    refunds = CreditsField()
    other = CreditsField()
    total = CreditsField()


class ServiceRevenueSerializer(serializers.Serializer[Any]):
    """`service` null: usage without a job."""

    service = serializers.IntegerField(source="service_id", allow_null=True)
    jobs = serializers.IntegerField()
    amount = CreditsField()
    uncharged = CreditsField()


class RevenueSerializer(serializers.Serializer[Any]):
    balance = CreditsField()
    months = MonthRevenueSerializer(many=True)
    services = ServiceRevenueSerializer(many=True)


class Revenue(APIView):
    @extend_schema(responses=RevenueSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """What a provider earned, by month and by service; the months add up to the balance."""
        provider = provider_for(signed_in(request), slug, "view")
        account = provider_account(provider.pk, provider.name)
        document = {
            "balance": account.posted,
            "months": revenue_by_month(account),
            "services": revenue_by_service(provider.pk),
        }
        return Response(RevenueSerializer(document).data)
