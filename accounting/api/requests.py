"""Requests for credit, refunds and corrections, disputes, and the release of holds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from accounting.access import account_for
from accounting.api.accounts import IDEMPOTENCY_KEY, idempotency_key
from accounting.api.answers import made, once
from accounting.api.request_serializers import (
    AdjustmentRequest,
    AdjustmentSerializer,
    ChargeSerializer,
    DecisionRequest,
    DisputeSerializer,
    OpenHoldSerializer,
    ReasonRequest,
    RefundRequest,
    ResolutionRequest,
    TextRequest,
    TopUpDetailSerializer,
    TopUpRequest,
    TopUpSerializer,
)
from accounting.models import Adjustment, Dispute, DisputeState, JobBill, Quote, TopUp
from accounting.requests import adjustments, disputes, holds, topups
from accounting.requests.charges import charge_for
from common.errors import NotFound
from people.authentication import signed_in
from people.models import User


class TopUps(ListAPIView[TopUp]):
    """Requests for credit: yours, those of groups that you administer; every one for operators."""

    serializer_class = TopUpSerializer

    def get_queryset(self) -> QuerySet[TopUp]:
        return topups.top_ups_seen_by(signed_in(self.request))


class AccountTopUps(APIView):
    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=TopUpRequest, responses=once(TopUpDetailSerializer)
    )
    def post(self, request: Request, account_id: int) -> Response:
        """Ask for credit where this account is short.

        A group's member asks its administrators for credit, or for a higher limit; an administrator
        asks the operators for the group, and everybody for the own account.
        """
        user, given = signed_in(request), _checked(request, TopUpRequest)
        quote_id = given.pop("quote")
        quote = get_object_or_404(Quote, pk=quote_id) if quote_id else None
        row = topups.ask(
            actor=user,
            account=account_for(user, account_id, "view"),
            key=idempotency_key(request) or "",
            quote=quote,
            **given,
        )
        return made(row, TopUpDetailSerializer)


class TopUpDetail(APIView):
    @extend_schema(responses=TopUpDetailSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One request with what was said about it."""
        return _top_up(topups.top_up_for(signed_in(request), pk))


class TopUpDecision(APIView):
    @extend_schema(request=DecisionRequest, responses=TopUpDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Grant, refuse, or ask back; for those whom the request is put to. One decision counts."""
        user, given = signed_in(request), _checked(request, DecisionRequest)
        row, text = topups.top_up_for(user, pk), given["text"]
        if given["decision"] == "grant":
            amount = given["amount"]
            return _top_up(topups.grant(actor=user, top_up=row, amount=amount, note=text))
        if given["decision"] == "refuse":
            return _top_up(topups.refuse(actor=user, top_up=row, reason=text))
        return _top_up(topups.ask_back(actor=user, top_up=row, question=text))


class TopUpAnswer(APIView):
    @extend_schema(request=TextRequest, responses=TopUpDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Answer the question that was put to you."""
        user, text = signed_in(request), _checked(request, TextRequest)["text"]
        return _top_up(topups.answer(actor=user, top_up=topups.top_up_for(user, pk), text=text))


class TopUpWithdrawal(APIView):
    @extend_schema(request=None, responses=TopUpDetailSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Take your request back."""
        user = signed_in(request)
        return _top_up(topups.withdraw(actor=user, top_up=topups.top_up_for(user, pk)))


class ChargeDetail(APIView):
    @extend_schema(responses=ChargeSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """A charge, and what is left of it."""
        return Response(ChargeSerializer(charge_for(signed_in(request), pk)).data)


class ChargeRefunds(APIView):
    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=RefundRequest, responses=once(AdjustmentSerializer)
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Give back part of a charge; for the provider's owner and operators.

        Above the limit it is PENDING until a second person approves it.
        """
        row = adjustments.propose_refund(
            actor=signed_in(request),
            charge_id=pk,
            key=idempotency_key(request) or "",
            **_checked(request, RefundRequest),
        )
        return made(row, AdjustmentSerializer)


class ChargeDisputes(APIView):
    @extend_schema(request=TextRequest, responses={201: DisputeSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Say that a charge is wrong; for who paid. One open dispute per charge."""
        text = _checked(request, TextRequest)["text"]
        row = disputes.open_dispute(actor=signed_in(request), charge_id=pk, text=text)
        return Response(DisputeSerializer(row).data, status=201)


class Disputes(ListAPIView[Dispute]):
    """Disputes that you opened or answer, or about accounts you answer for; all for operators."""

    serializer_class = DisputeSerializer

    def get_queryset(self) -> QuerySet[Dispute]:
        return disputes.disputes_seen_by(signed_in(self.request))


class DisputeDetail(APIView):
    @extend_schema(responses=DisputeSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One dispute."""
        return Response(DisputeSerializer(disputes.dispute_for(signed_in(request), pk)).data)


class DisputeResolution(APIView):
    @extend_schema(request=ResolutionRequest, responses=DisputeSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Accept it (all that is left comes back), accept it in part, or reject it."""
        user, given = signed_in(request), _checked(request, ResolutionRequest)
        row = disputes.resolve(
            actor=user,
            dispute=disputes.dispute_for(user, pk),
            state=DisputeState(given["state"]),
            answer=given["answer"],
            amount=given["amount"],
        )
        return Response(DisputeSerializer(row).data)


class Adjustments(ListAPIView[Adjustment]):
    """Refunds and corrections: those that you proposed; every one for operators."""

    serializer_class = AdjustmentSerializer

    def get_queryset(self) -> QuerySet[Adjustment]:
        return adjustments.adjustments_by(signed_in(self.request))

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=AdjustmentRequest,
        responses=once(AdjustmentSerializer),
    )
    def post(self, request: Request) -> Response:
        """Add to an account, or take from it; for operators.

        Above the limit it is PENDING until a second operator approves it.
        """
        user, given = signed_in(request), _checked(request, AdjustmentRequest)
        row = adjustments.propose(
            actor=user,
            account=account_for(user, given.pop("account"), "view"),
            key=idempotency_key(request) or "",
            **given,
        )
        return made(row, AdjustmentSerializer)


class AdjustmentDetail(APIView):
    @extend_schema(responses=AdjustmentSerializer)
    def get(self, request: Request, pk: UUID) -> Response:
        """One refund or correction."""
        return Response(AdjustmentSerializer(_proposal(signed_in(request), pk)).data)


class AdjustmentApproval(APIView):
    @extend_schema(request=None, responses=AdjustmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Book what another operator, or a provider, proposed."""
        user = signed_in(request)
        row = adjustments.approve(actor=user, adjustment=_proposal(user, pk))
        return Response(AdjustmentSerializer(row).data)


class AdjustmentRefusal(APIView):
    @extend_schema(request=ReasonRequest, responses=AdjustmentSerializer)
    def post(self, request: Request, pk: UUID) -> Response:
        """Do not book it; for a second operator, and for who proposed it."""
        user, reason = signed_in(request), _checked(request, ReasonRequest)["reason"]
        row = adjustments.refuse(actor=user, adjustment=_proposal(user, pk), reason=reason)
        return Response(AdjustmentSerializer(row).data)


class Holds(ListAPIView[JobBill]):
    """Open holds of jobs, the oldest first: yours, of accounts and providers you answer for."""

    serializer_class = OpenHoldSerializer

    def get_queryset(self) -> QuerySet[JobBill]:
        return holds.holds_seen_by(signed_in(self.request))


class HoldRelease(APIView):
    @extend_schema(request=ReasonRequest, responses=OpenHoldSerializer)
    def post(self, request: Request, job_id: UUID) -> Response:
        """Give a job's hold back; usage that comes later is not charged.

        Operators and the provider's owner: of a job that is not on its way. The group's
        administrators: of one that has waited for usage too long.
        """
        reason = _checked(request, ReasonRequest)["reason"]
        bill = holds.release_hold(actor=signed_in(request), job_id=job_id, reason=reason)
        return Response(OpenHoldSerializer(bill).data)


def _checked(request: Request, kind: type[Serializer[Any]]) -> dict[str, Any]:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _top_up(row: TopUp) -> Response:
    return Response(TopUpDetailSerializer(row).data)


def _proposal(user: User, pk: UUID) -> Adjustment:
    row = adjustments.adjustments_by(user).filter(pk=pk).first()
    if row is None:
        raise NotFound
    return row
