"""The usage that an account pays for, as JSON."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from accounting.access import account_for, lines_of
from accounting.api.serializers import PriceLineSerializer
from accounting.models import UsageRecord
from accounting.usage.paid import member_of, quantities_of, records_of
from common.serializers import CreditsField
from people.authentication import signed_in


class PaidUsageSerializer(serializers.ModelSerializer[UsageRecord]):
    """What was used, and what it costs; `job` null: usage without a job.

    `counter_of` is the machine whose counters these are since it began.
    """

    job = serializers.UUIDField(source="bill_id", allow_null=True)
    provider = serializers.IntegerField(source="provider_id", allow_null=True)
    member = serializers.SerializerMethodField()
    quantities = serializers.SerializerMethodField()
    cost = CreditsField(allow_null=True)
    lines = PriceLineSerializer(many=True)

    class Meta:
        model = UsageRecord
        fields = (
            *("id", "revision", "type", "provider", "site", "counter_of", "local_job_id", "job"),
            *("member", "user_name", "group_name", "started", "ended", "month", "quantities"),
            *("state", "note", "cost", "lines"),
        )

    def get_member(self, record: UsageRecord) -> int | None:
        return member_of(record)

    def get_quantities(self, record: UsageRecord) -> list[dict[str, str]]:
        return quantities_of(record)


class AccountUsage(ListAPIView[UsageRecord]):
    """The usage that an account pays for, newest first. Members of a group see their own."""

    serializer_class = PaidUsageSerializer

    def get_queryset(self) -> QuerySet[UsageRecord]:
        user = signed_in(self.request)
        account = account_for(user, self.kwargs["account_id"], "view")
        return records_of(account, member_id=lines_of(user, account))
