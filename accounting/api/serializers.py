"""Accounts, statements, quotes and usage records as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounting.credit.periods import MONTHS
from accounting.models import Account, Transfer, Unit, UsageRecord
from accounting.models.pricing import COUNTED_IN
from common.money import show
from common.serializers import CreditsField

# What the quantities of a unit count.


class PriceLineSerializer(serializers.Serializer[dict[str, Any]]):
    """One line of a price: `quantity` in `counted_in`, `price` per `unit_size` `unit`s."""

    unit = serializers.ChoiceField(choices=Unit.choices)
    quantity = serializers.CharField(help_text="a whole number, as text")
    counted_in = serializers.SerializerMethodField()
    unit_size = serializers.IntegerField()
    price = CreditsField()
    minimum = CreditsField(default=0)
    free_quantity = serializers.IntegerField(default=0)
    amount = CreditsField()
    basis = serializers.CharField(default="", help_text="where the quantity comes from")
    source = serializers.CharField(  # type: ignore[assignment]  # a field, not DRF's attribute
        default="", help_text="provider, formula, history, declared, inputs or flat"
    )
    low = CreditsField(default=None, allow_null=True, help_text="half of all runs cost between")
    high = CreditsField(default=None, allow_null=True, help_text="low and high")

    def get_counted_in(self, line: dict[str, Any]) -> str:
        return COUNTED_IN.get(line["unit"], "")


class QuoteSerializer(serializers.Serializer[Any]):
    """A price promised until `expires_at`; `total` is the most that the job will be charged.

    With `max_cost` at the submission, that takes the place of `total`.
    """

    id = serializers.UUIDField()
    service = serializers.IntegerField(source="service_id")
    account = serializers.IntegerField(source="account_id")
    total = CreditsField()
    currency = serializers.CharField(source="account.currency")
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="the best source that a line has"
    )
    lines = PriceLineSerializer(many=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    available = CreditsField(source="account.available")
    available_after = serializers.SerializerMethodField()
    covered = serializers.SerializerMethodField(help_text="whether the account has enough now")

    def get_available_after(self, quote: Any) -> str:
        return show(quote.account.available - quote.total)

    def get_covered(self, quote: Any) -> bool:
        return bool(quote.account.available >= quote.total)


class AccountSerializer(serializers.ModelSerializer[Account]):
    """`available` is what may be spent now: balance, less holds, down to the credit limit."""

    user = serializers.CharField(source="user.username", allow_null=True, default=None)
    group = serializers.CharField(source="group.slug", allow_null=True, default=None)
    balance = CreditsField(source="posted")
    held = CreditsField()
    available = CreditsField()

    class Meta:
        model = Account
        fields = (
            "id",
            "kind",
            "name",
            "user",
            "group",
            "currency",
            "balance",
            "held",
            "available",
            "status",
        )


class LineSerializer(serializers.Serializer[Any]):
    """A line of a statement; `member` is the id of the user on whose behalf a group paid."""

    transfer = serializers.UUIDField(source="transfer_id")
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    amount = CreditsField()
    held = CreditsField()
    balance = CreditsField(allow_null=True)
    available = CreditsField(allow_null=True)
    counterparty = serializers.CharField()
    member = serializers.IntegerField(source="member_id", allow_null=True)
    reference = serializers.CharField(help_text="the job, if it is about one")
    reason = serializers.CharField()
    actor = serializers.CharField()


class StatementSerializer(serializers.Serializer[Any]):
    """Newest first; `older` is the address of the next page."""

    older = serializers.CharField(allow_null=True)
    lines = LineSerializer(many=True)


class StatementQuery(serializers.Serializer[Any]):
    before = serializers.CharField(required=False, help_text="from `older` of the page before")
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


class HoldSerializer(serializers.ModelSerializer[Transfer]):
    amount = CreditsField()
    member = serializers.IntegerField(source="member_id", allow_null=True)
    job = serializers.CharField(source="reference")

    class Meta:
        model = Transfer
        fields = ("id", "amount", "member", "job", "created_at", "expires_at")


class TransferSerializer(serializers.ModelSerializer[Transfer]):
    amount = CreditsField()
    debit = serializers.CharField(source="debit.code")
    credit = serializers.CharField(source="credit.code")

    class Meta:
        model = Transfer
        fields = ("id", "kind", "debit", "credit", "amount", "reason", "created_at")


class IssueRequest(serializers.Serializer[Any]):
    amount = CreditsField(least=1)
    reason = serializers.CharField(max_length=500)


class MemberTransferRequest(IssueRequest):
    member = serializers.CharField(max_length=254, help_text="user name or e-mail address")


class CapRequest(serializers.Serializer[Any]):
    limit = CreditsField(least=0, allow_null=True)
    period = serializers.ChoiceField(
        choices=(("", "in all"), *((name, name.lower()) for name in MONTHS)),
        required=False,
        help_text="of the calendar, in UTC; absent: as it is",
    )


class CapSerializer(serializers.Serializer[Any]):
    """The most that a member may spend from the group's account; `limit` null: no limit."""

    member = serializers.CharField()
    limit = CreditsField(allow_null=True)
    period = serializers.CharField(help_text="empty: in all; used and held count in this period")
    used = CreditsField(allow_null=True)
    held = CreditsField(allow_null=True)


class UsageRecordSerializer(serializers.ModelSerializer[UsageRecord]):
    """`quantities` is what it measured, by unit, in the unit's smallest parts as in price lines."""

    job = serializers.UUIDField(source="bill_id", allow_null=True)
    message = serializers.CharField(source="message_id", help_text="SHA-256 of the message")
    provider = serializers.IntegerField(source="provider_id", allow_null=True)
    cost = CreditsField(allow_null=True)
    lines = PriceLineSerializer(many=True)

    class Meta:
        model = UsageRecord
        fields = (
            "id",
            "revision",
            "type",
            "message",
            "provider",
            "site",
            "user_name",
            "group_name",
            "local_job_id",
            "job",
            "started",
            "ended",
            "wall_seconds",
            "cpu_seconds",
            "processors",
            "quantities",
            "state",
            "note",
            "cost",
            "lines",
        )


class UsageFaultSerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(allow_null=True)
    field = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    count = serializers.IntegerField()


class ImportReportSerializer(serializers.Serializer[Any]):
    """What became of a usage message."""

    id = serializers.CharField()
    state = serializers.CharField()
    duplicate = serializers.BooleanField()
    records = serializers.IntegerField()
    matched = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    warnings = UsageFaultSerializer(many=True)
