"""Grants, rules, lots, alerts and the rules of an account as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounting.inputs import LONGEST_REASON
from accounting.models import (
    AccountChange,
    AccountStatus,
    Alert,
    AlertRule,
    Grant,
    GrantRule,
    OverrunPolicy,
    Period,
)
from common.serializers import CreditsField


class GrantSerializer(serializers.ModelSerializer[Grant]):
    """`giver` null: the portal. `note`: why it could not be booked."""

    account = serializers.CharField(source="account.code")
    giver = serializers.CharField(source="source.code", allow_null=True, default=None)
    amount = CreditsField()
    by = serializers.CharField(source="created_by.username")

    class Meta:
        model = Grant
        fields = (
            "id",
            "account",
            "giver",
            "amount",
            "starts_at",
            "expires_at",
            "state",
            "note",
            "reason",
            "rule",
            "transfer",
            "by",
            "created_at",
        )


class RuleSerializer(serializers.ModelSerializer[GrantRule]):
    account = serializers.CharField(source="account.code")
    giver = serializers.CharField(source="source.code", allow_null=True, default=None)
    amount = CreditsField()
    by = serializers.CharField(source="created_by.username")

    class Meta:
        model = GrantRule
        fields = (
            "id",
            "account",
            "giver",
            "amount",
            "every",
            "starts_at",
            "ends_at",
            "lifetime_days",
            "active",
            "reason",
            "by",
            "created_at",
        )


class GiveRequest(serializers.Serializer[Any]):
    """`member`: the group gives to its member; without it the portal gives to the account."""

    amount = CreditsField(least=1)
    reason = serializers.CharField(max_length=LONGEST_REASON)
    member = serializers.CharField(
        max_length=254, required=False, help_text="user name or e-mail address"
    )
    starts_at = serializers.DateTimeField(required=False, help_text="now, if it is absent")


class GrantRequest(GiveRequest):
    expires_at = serializers.DateTimeField(required=False, help_text="absent: it does not expire")


class RuleRequest(GiveRequest):
    every = serializers.ChoiceField(choices=Period.choices)
    ends_at = serializers.DateTimeField(required=False)
    lifetime_days = serializers.IntegerField(required=False, min_value=1, max_value=18300)


class RuleChangeRequest(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=("pause", "resume", "end"))
    reason = serializers.CharField(max_length=LONGEST_REASON)


class ExpiringSerializer(serializers.Serializer[Any]):
    """What of the balance expires when; what lies in the past is held for running jobs."""

    expires_at = serializers.DateTimeField(source="at")
    amount = CreditsField()


class BalanceSerializer(serializers.Serializer[Any]):
    balance = CreditsField(source="account.posted")
    held = CreditsField(source="account.held")
    available = CreditsField(source="account.available")
    expiring = ExpiringSerializer(many=True)


class AlertSerializer(serializers.ModelSerializer[Alert]):
    available = CreditsField()
    threshold = CreditsField()

    class Meta:
        model = Alert
        fields = ("fired_at", "available", "threshold")


class AlertRuleSerializer(serializers.ModelSerializer[AlertRule]):
    """`threshold`: what it comes to now, null while no credit ever came in."""

    amount = CreditsField(allow_null=True)
    threshold = CreditsField(allow_null=True)
    available = CreditsField()
    alerts = AlertSerializer(many=True)

    class Meta:
        model = AlertRule
        fields = ("id", "amount", "percent", "threshold", "available", "armed", "alerts")


class AlertRuleRequest(serializers.Serializer[Any]):
    """One of the two."""

    amount = CreditsField(least=1, required=False)
    percent = serializers.IntegerField(required=False, min_value=1, max_value=100)


class CapsSerializer(serializers.Serializer[Any]):
    """How many members have the limit now."""

    members = serializers.IntegerField()


class WithReason(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=LONGEST_REASON)


class StatusRequest(WithReason):
    status = serializers.ChoiceField(choices=AccountStatus.choices)


class LimitRequest(WithReason):
    limit = CreditsField(least=0)


class PolicyRequest(WithReason):
    policy = serializers.ChoiceField(choices=OverrunPolicy.choices)


class RulesSerializer(serializers.Serializer[Any]):
    """The rules of an account as they are now."""

    status = serializers.CharField()
    overrun_policy = serializers.CharField()
    credit_limit = serializers.SerializerMethodField()

    def get_credit_limit(self, account: Any) -> str | None:
        return None if account.floor is None else CreditsField().to_representation(-account.floor)


class ChangeSerializer(serializers.ModelSerializer[AccountChange]):
    class Meta:
        model = AccountChange
        fields = ("at", "actor", "what", "before", "after", "reason")
