"""Single records for programs, and what sites published beside what was received."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounting.api.serializers import UsageRecordSerializer
from accounting.models import QuarantinedRecord, UsageRecord
from accounting.usage.overview import site_months, sync_records
from people.authentication import signed_in
from portal.api.usage_desk import QuarantinedSerializer
from portal.usage_scope import Scope, scope_for


def _scope(request: Request) -> Scope:
    return scope_for(signed_in(request), request.query_params.get("provider", ""))


class UsageRecordDetail(RetrieveAPIView[UsageRecord]):
    """One usage record, in any revision."""

    serializer_class = UsageRecordSerializer
    lookup_url_kwarg = "record_id"

    def get_queryset(self) -> QuerySet[UsageRecord]:
        return _scope(self.request).within(UsageRecord.objects.all())


class QuarantinedDetail(RetrieveAPIView[QuarantinedRecord]):
    """One bad record, also when it was loaded or dropped since."""

    serializer_class = QuarantinedSerializer
    lookup_url_kwarg = "row_id"

    def get_queryset(self) -> QuerySet[QuarantinedRecord]:
        return _scope(self.request).within(QuarantinedRecord.objects.all())


class SiteMonthSerializer(serializers.Serializer[Any]):
    """`difference` above zero: records that did not arrive."""

    provider = serializers.IntegerField(source="provider_id")
    site = serializers.CharField()
    submit_host = serializers.CharField()
    month = serializers.DateField(help_text="its first day")
    published = serializers.IntegerField()
    received = serializers.IntegerField()
    difference = serializers.IntegerField()


class UsageMonths(ListAPIView[UsageRecord]):
    serializer_class = SiteMonthSerializer

    def get_queryset(self) -> QuerySet[UsageRecord]:
        return sync_records(_scope(self.request).ids)

    def paginate_queryset(self, queryset: Any) -> Any:
        return site_months(super().paginate_queryset(queryset) or [])

    @extend_schema(responses=SiteMonthSerializer(many=True))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The records that sites say they published beside those received, newest month first."""
        return super().get(request, *args, **kwargs)
