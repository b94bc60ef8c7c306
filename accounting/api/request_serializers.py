"""Requests for credit, refunds, disputes and holds as JSON."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounting.api.paid_usage import PaidUsageSerializer
from accounting.api.serializers import PriceLineSerializer
from accounting.models import Adjustment, Dispute, JobBill, TopUp, TopUpNote
from accounting.requests.charges import Charge
from accounting.requests.disputes import RESOLUTIONS
from accounting.usage.paid import records_behind
from common.serializers import CreditsField


class NoteSerializer(serializers.ModelSerializer[TopUpNote]):
    author = serializers.CharField(source="author.username")

    class Meta:
        model = TopUpNote
        fields = ("author", "at", "text")


class TopUpSerializer(serializers.ModelSerializer[TopUp]):
    """`source` null: operators decide; else the administrators of that group's account.

    `as_limit`: a higher limit on `source` is asked for, not credit.
    """

    amount = CreditsField()
    granted = CreditsField(allow_null=True)
    requested_by = serializers.CharField(source="requested_by.username")
    closed_by = serializers.CharField(source="closed_by.username", allow_null=True, default=None)
    quote = serializers.UUIDField(source="quote_id", allow_null=True)

    class Meta:
        model = TopUp
        fields: tuple[str, ...] = (
            "id",
            "account",
            "source",
            "as_limit",
            "amount",
            "reason",
            "state",
            "requested_by",
            "requested_at",
            "granted",
            "closed_by",
            "closed_at",
            "quote",
        )


class TopUpDetailSerializer(TopUpSerializer):
    """With what was said, and what the attached quote is made of."""

    notes = NoteSerializer(many=True)
    lines = PriceLineSerializer(many=True, source="quote.lines", default=())

    class Meta(TopUpSerializer.Meta):
        fields = (*TopUpSerializer.Meta.fields, "notes", "lines")


class TopUpRequest(serializers.Serializer[Any]):
    amount = CreditsField(least=1)
    reason = serializers.CharField(max_length=500)
    quote = serializers.UUIDField(required=False, allow_null=True, default=None)
    as_limit = serializers.BooleanField(default=False)


class DecisionRequest(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=("grant", "refuse", "ask_back"))
    amount = CreditsField(
        least=1, required=False, allow_null=True, default=None, help_text="to grant another amount"
    )
    text = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class TextRequest(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=500)


class ReasonRequest(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500)


class ChargeSerializer(serializers.Serializer[Charge]):
    """A charge; `left` is what can still be given back."""

    id = serializers.UUIDField(source="transfer.pk")
    at = serializers.DateTimeField(source="transfer.created_at")
    account = serializers.IntegerField(source="transfer.debit_id")
    provider = serializers.IntegerField(source="provider_id")
    member = serializers.IntegerField(source="member_id", allow_null=True)
    reference = serializers.CharField(source="transfer.reference")
    amount = CreditsField(source="transfer.amount")
    refunded = CreditsField()
    waiting = CreditsField(help_text="refunds that a second person has to approve")
    left = CreditsField()
    usage = serializers.SerializerMethodField(
        help_text="what usage without a job it is for, as it is reported now"
    )

    @extend_schema_field(PaidUsageSerializer(many=True))
    def get_usage(self, charge: Charge) -> Any:
        return PaidUsageSerializer(records_behind(charge.transfer), many=True).data


class RefundRequest(ReasonRequest):
    amount = CreditsField(least=1)


class AdjustmentRequest(ReasonRequest):
    account = serializers.IntegerField()
    amount = CreditsField(help_text="below 0: taken from the account")


class AdjustmentSerializer(serializers.ModelSerializer[Adjustment]):
    """With `charge` a refund of it; without, a correction by the portal."""

    amount = CreditsField()
    requested_by = serializers.CharField(source="requested_by.username")
    decided_by = serializers.CharField(source="decided_by.username", allow_null=True, default=None)

    class Meta:
        model = Adjustment
        fields = (
            "id",
            "account",
            "charge",
            "amount",
            "reason",
            "state",
            "requested_by",
            "requested_at",
            "decided_by",
            "decided_at",
            "note",
            "transfer",
        )


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    charge = serializers.UUIDField(source="transfer_id")
    provider = serializers.IntegerField(source="provider_id")
    amount = CreditsField(source="transfer.amount")
    refunded = CreditsField(source="refund.amount", allow_null=True, default=None)
    opened_by = serializers.CharField(source="opened_by.username")
    closed_by = serializers.CharField(source="closed_by.username", allow_null=True, default=None)

    class Meta:
        model = Dispute
        fields = (
            "id",
            "charge",
            "account",
            "provider",
            "amount",
            "text",
            "state",
            "answer",
            "refunded",
            "opened_by",
            "opened_at",
            "closed_by",
            "closed_at",
        )


class ResolutionRequest(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=RESOLUTIONS)
    amount = CreditsField(
        least=1, required=False, allow_null=True, default=None, help_text="for PARTLY"
    )
    answer = serializers.CharField(max_length=500)


class OpenHoldSerializer(serializers.ModelSerializer[JobBill]):
    """What is held for a job; `ended_at` null: the job is under way."""

    job = serializers.UUIDField(source="pk")
    member = serializers.IntegerField(source="member_id")
    provider = serializers.IntegerField(source="provider_id")
    amount = CreditsField(source="limit_amount")

    class Meta:
        model = JobBill
        fields = (
            "job",
            "account",
            "member",
            "provider",
            "amount",
            "state",
            "created_at",
            "ended_at",
        )
