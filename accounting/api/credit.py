"""Grants and rules, what expires when, alerts, and the rules of an account."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from accounting import accounts
from accounting.access import Right, account_for
from accounting.accounts import group_account
from accounting.api.accounts import IDEMPOTENCY_KEY, cap_document, idempotency_key
from accounting.api.answers import made, once
from accounting.api.credit_serializers import (
    AlertRuleRequest,
    AlertRuleSerializer,
    BalanceSerializer,
    CapsSerializer,
    ChangeSerializer,
    GrantRequest,
    GrantSerializer,
    LimitRequest,
    PolicyRequest,
    RuleChangeRequest,
    RuleRequest,
    RuleSerializer,
    RulesSerializer,
    StatusRequest,
)
from accounting.api.serializers import CapRequest, CapSerializer
from accounting.credit import alerts, grants, lots
from accounting.credit.caps import caps_of
from accounting.credit.grant_rules import Plan, change_rule, make_rule, rules_of
from accounting.credit.limits import set_caps
from accounting.models import Account, AccountChange, AlertRule, Grant, GrantRule
from common.errors import NotFound
from people.access import group_for
from people.authentication import signed_in
from people.models import Membership
from people.selectors import find_user

_SIDES = ("account__user", "source__group", "created_by")
_GRANTS = Grant.objects.select_related(*_SIDES)
_RULES = GrantRule.objects.select_related(*_SIDES)


class Grants(ListAPIView[Grant]):
    """What was given to the account and from it, or will be; latest start first."""

    serializer_class = GrantSerializer

    def get_queryset(self) -> QuerySet[Grant]:
        return grants.grants_of(_account(self.request, self.kwargs["account_id"], "configure"))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=GrantRequest, responses=once(GrantSerializer)
    )
    def post(self, request: Request, account_id: int) -> Response:
        """Give credit now or from `starts_at`: to a `member` of the group, or to the account."""
        given = _read(request, GrantRequest)
        sides = _sides(request, account_id, given.pop("member", ""))
        grant = grants.give(**sides, **given)
        return made(grant, GrantSerializer)


class GrantDetail(APIView):
    @extend_schema(responses=GrantSerializer)
    def get(self, request: Request, grant_id: int) -> Response:
        """One grant; for who gets it, and those who answer for the account that gives it."""
        grant = _GRANTS.filter(pk=grant_id).first()
        _visible(request, grant)
        return Response(GrantSerializer(grant).data)


class GrantCancellation(APIView):
    @extend_schema(request=None, responses=GrantSerializer)
    def post(self, request: Request, grant_id: int) -> Response:
        """Cancel a grant that has not started."""
        grant = _GRANTS.filter(pk=grant_id).first()
        _concerned(request, grant)
        done = grants.cancel(actor=signed_in(request), grant=cast("Grant", grant))
        return Response(GrantSerializer(done).data)


class Rules(ListAPIView[GrantRule]):
    """What is given to the account or from it each period, newest first."""

    serializer_class = RuleSerializer

    def get_queryset(self) -> QuerySet[GrantRule]:
        return rules_of(_account(self.request, self.kwargs["account_id"], "configure"))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=RuleRequest, responses=once(RuleSerializer)
    )
    def post(self, request: Request, account_id: int) -> Response:
        """Give credit each period: to a `member` of the group, or to the account."""
        given = _read(request, RuleRequest)
        sides = _sides(request, account_id, given.pop("member", ""))
        reason = given.pop("reason")
        rule = make_rule(plan=Plan(**given), reason=reason, **sides)
        return made(rule, RuleSerializer)


class Rule(APIView):
    @extend_schema(responses=RuleSerializer)
    def get(self, request: Request, rule_id: int) -> Response:
        """One rule; for who gets it, and those who answer for the account that gives."""
        rule = _RULES.filter(pk=rule_id).first()
        _visible(request, rule)
        return Response(RuleSerializer(rule).data)

    @extend_schema(request=RuleChangeRequest, responses=RuleSerializer)
    def patch(self, request: Request, rule_id: int) -> Response:
        """Pause, resume or end a rule."""
        rule = _RULES.filter(pk=rule_id).first()
        _concerned(request, rule)
        wanted = _read(request, RuleChangeRequest)
        done = change_rule(actor=signed_in(request), rule=cast("GrantRule", rule), **wanted)
        return Response(RuleSerializer(done).data)


class Balance(APIView):
    @extend_schema(responses=BalanceSerializer)
    def get(self, request: Request, account_id: int) -> Response:
        """Balance, held, available, and what of the balance expires when."""
        account = _account(request, account_id, "view")
        expiring = lots.remaining(account)
        account.refresh_from_db()
        return Response(BalanceSerializer({"account": account, "expiring": expiring}).data)


class Alerts(APIView):
    @extend_schema(responses=AlertRuleSerializer(many=True))
    def get(self, request: Request, account_id: int) -> Response:
        """At which thresholds somebody is told, and when that was."""
        rules = AlertRule.objects.filter(account=_account(request, account_id, "configure"))
        return Response(AlertRuleSerializer(_shown(rules), many=True).data)

    @extend_schema(request=AlertRuleRequest, responses={201: AlertRuleSerializer})
    def post(self, request: Request, account_id: int) -> Response:
        """Tell who manages the account when its credit falls below an amount or a percentage."""
        account = _account(request, account_id, "configure")
        wanted = _read(request, AlertRuleRequest)
        rule = alerts.add_rule(actor=signed_in(request), account=account, **wanted)
        made = _shown(AlertRule.objects.filter(pk=rule.pk)).get()
        return Response(AlertRuleSerializer(made).data, status=201)


class AlertDetail(APIView):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, account_id: int, alert_id: int) -> Response:
        """No longer tell."""
        account = _account(request, account_id, "configure")
        rule = AlertRule.objects.filter(account=account, pk=alert_id).first()
        if rule is None:
            raise NotFound
        alerts.remove_rule(actor=signed_in(request), rule=rule)
        return Response(status=204)


class Caps(ListAPIView[Membership]):
    """The members of the group, each with the limit and what counts against it."""

    serializer_class = CapSerializer

    def get_queryset(self) -> QuerySet[Membership]:
        group = group_for(signed_in(self.request), self.kwargs["slug"], "manage")
        return group.memberships.select_related("user", "group").order_by("user__username")

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        caps = caps_of(group_account(page[0].group)) if page else {}
        return [cap_document(one.user, caps.get(one.user_id)) for one in page or ()]

    @extend_schema(operation_id="groups_caps_of_all", request=CapRequest, responses=CapsSerializer)
    def put(self, request: Request, slug: str) -> Response:
        """Give every present member the same limit; `limit` null lifts all."""
        actor = signed_in(request)
        group = group_for(actor, slug, "manage")
        wanted = {"period": "", **_read(request, CapRequest)}
        return Response({"members": set_caps(actor=actor, group=group, **wanted)})


class Status(APIView):
    @extend_schema(request=StatusRequest, responses=RulesSerializer)
    def put(self, request: Request, account_id: int) -> Response:
        """Freeze or open the account; operators also close it."""
        account = _account(request, account_id, "manage")
        wanted = _read(request, StatusRequest)
        return _ruled(accounts.set_status(actor=signed_in(request), account=account, **wanted))


class CreditLimit(APIView):
    @extend_schema(request=LimitRequest, responses=RulesSerializer)
    def put(self, request: Request, account_id: int) -> Response:
        """How far below zero the account may go; for operators."""
        account = _account(request, account_id, "view")
        wanted = _read(request, LimitRequest)
        done = accounts.set_credit_limit(actor=signed_in(request), account=account, **wanted)
        return _ruled(done)


class Policy(APIView):
    @extend_schema(request=PolicyRequest, responses=RulesSerializer)
    def put(self, request: Request, account_id: int) -> Response:
        """How far a charge may go above what was held; DEBT is for operators to give."""
        account = _account(request, account_id, "configure")
        wanted = _read(request, PolicyRequest)
        done = accounts.set_overrun_policy(actor=signed_in(request), account=account, **wanted)
        return _ruled(done)


class Changes(ListAPIView[AccountChange]):
    """Who changed a rule of the account, when, and why; newest first."""

    serializer_class = ChangeSerializer

    def get_queryset(self) -> QuerySet[AccountChange]:
        account = _account(self.request, self.kwargs["account_id"], "configure")
        return AccountChange.objects.filter(account=account)


def _account(request: Request, account_id: int, right: Right) -> Account:
    return account_for(signed_in(request), account_id, right)


def _sides(request: Request, account_id: int, member: str) -> dict[str, Any]:
    """Who gives to whom, and the request's key."""
    account = _account(request, account_id, "manage")
    receiver = accounts.user_account(find_user(member)) if member else account
    return {
        "actor": signed_in(request),
        "account": receiver,
        "source": account if member else None,
        "key": idempotency_key(request) or uuid.uuid4().hex,
    }


def _concerned(request: Request, given: Grant | GrantRule | None) -> None:
    """Whoever does not manage the account that gives, or gets, may not know of it."""
    if given is None:
        raise NotFound
    _account(request, (given.source or given.account).pk, "manage")


def _visible(request: Request, given: Grant | GrantRule | None) -> None:
    """It is seen by whom it is given to, and by those who answer for the account that gives."""
    if given is None:
        raise NotFound
    gets = given.account.user_id == signed_in(request).pk
    side = given.account if gets or given.source is None else given.source
    _account(request, side.pk, "configure")


def _read(request: Request, kind: type[BaseSerializer[Any]]) -> dict[str, Any]:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _shown(rules: QuerySet[AlertRule]) -> QuerySet[AlertRule]:
    return alerts.with_thresholds(rules).prefetch_related("alerts").order_by("pk")


def _ruled(account: Account) -> Response:
    return Response(RulesSerializer(account).data)
