"""Accounts, their statements, and credit that is moved by hand."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounting import selectors
from accounting.access import account_for, lines_of
from accounting.accounts import group_account
from accounting.api.answers import made, once
from accounting.api.serializers import (
    AccountSerializer,
    CapRequest,
    CapSerializer,
    HoldSerializer,
    IssueRequest,
    MemberTransferRequest,
    StatementQuery,
    StatementSerializer,
    TransferSerializer,
)
from accounting.credit import transfers as credit
from accounting.models import Account, MemberCap, Transfer
from common.errors import InvalidInput
from people.access import group_for, is_operator
from people.authentication import signed_in
from people.models import Group, User
from people.selectors import find_user

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key with the same body has no second effect and answers 200 with what the"
    " first request made; with another body: 409.",
)
LONGEST_KEY = 128


def idempotency_key(request: Request) -> str | None:
    """The header's value; raises InvalidInput for one that cannot be kept."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY or not ((key.isascii() and key.isprintable()) or not key):
        raise InvalidInput(
            _("The key has at most 128 printable ASCII characters."), locator="Idempotency-Key"
        )
    return key or None


class AccountList(ListAPIView[Account]):
    """The accounts that you may see: your own, your groups'; every one for operators."""

    serializer_class = AccountSerializer

    def get_queryset(self) -> QuerySet[Account]:
        user = signed_in(self.request)
        accounts = Account.objects.select_related("user", "group").order_by("kind", "name", "pk")
        if is_operator(user):
            return accounts
        own = Q(user=user) | Q(group__memberships__user=user)
        return accounts.filter(own).distinct()


class AccountDetail(APIView):
    @extend_schema(responses=AccountSerializer)
    def get(self, request: Request, account_id: int) -> Response:
        """One account with its balance."""
        return Response(AccountSerializer(account_for(signed_in(request), account_id, "view")).data)


class AccountStatement(APIView):
    @extend_schema(parameters=[StatementQuery], responses=StatementSerializer)
    def get(self, request: Request, account_id: int) -> Response:
        """The account's lines, newest first. Members of a group see their own lines."""
        user = signed_in(request)
        account = account_for(user, account_id, "view")
        query = StatementQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = selectors.statement(
            account,
            member_id=lines_of(user, account),
            before=query.validated_data.get("before"),
            limit=query.validated_data["limit"],
        )
        older = None
        if page.older:
            parameters = request.query_params.copy()
            parameters["before"] = page.older
            older = request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")
        return Response(StatementSerializer({"lines": page.lines, "older": older}).data)


class AccountHolds(ListAPIView[Transfer]):
    """The open holds on an account. Members of a group see their own."""

    serializer_class = HoldSerializer

    def get_queryset(self) -> QuerySet[Transfer]:
        user = signed_in(self.request)
        account = account_for(user, self.kwargs["account_id"], "view")
        return selectors.open_holds(account, member_id=lines_of(user, account))


class Issue(APIView):
    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=IssueRequest, responses=once(TransferSerializer)
    )
    def post(self, request: Request, account_id: int) -> Response:
        """Create credit on an account; for operators."""
        user = signed_in(request)
        account = account_for(user, account_id, "view")
        transfer = credit.issue_credit(actor=user, account=account, **_given(request, IssueRequest))
        return made(transfer, TransferSerializer)


class GroupTransfer(APIView):
    """Credit between a group's account and a member's own."""

    def _move(self, request: Request, slug: str, act: Callable[..., Transfer]) -> Response:
        actor = signed_in(request)
        group = group_for(actor, slug, "manage")
        given = _given(request, MemberTransferRequest)
        member = find_user(given.pop("member"))
        return made(act(actor=actor, group=group, member=member, **given), TransferSerializer)


class Grant(GroupTransfer):
    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=MemberTransferRequest,
        responses=once(TransferSerializer),
    )
    def post(self, request: Request, slug: str) -> Response:
        """Move credit from the group's account to a member's own; for its administrators."""
        return self._move(request, slug, credit.grant_to_member)


class TakeBack(GroupTransfer):
    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=MemberTransferRequest,
        responses=once(TransferSerializer),
    )
    def post(self, request: Request, slug: str) -> Response:
        """Move credit that the group gave back to it; for its administrators."""
        return self._move(request, slug, credit.take_back)


class Cap(APIView):
    @extend_schema(request=CapRequest, responses=CapSerializer)
    def put(self, request: Request, slug: str, username: str) -> Response:
        """Limit what a member may spend from the group's account; `limit` null lifts it."""
        actor = signed_in(request)
        group, member = group_for(actor, slug, "manage"), find_user(username)
        wanted = CapRequest(data=request.data)
        wanted.is_valid(raise_exception=True)
        credit.set_cap(actor=actor, group=group, member=member, **wanted.validated_data)
        return self._answer(group, member)

    @extend_schema(responses=CapSerializer)
    def get(self, request: Request, slug: str, username: str) -> Response:
        """A member's limit and what counts against it; for administrators and the member."""
        user = signed_in(request)
        own = username == user.username
        group = group_for(user, slug, "view" if own else "manage")
        return self._answer(group, user if own else find_user(username))

    @staticmethod
    def _answer(group: Group, member: User) -> Response:
        cap = selectors.cap_of(group_account(group), member.pk)
        return Response(CapSerializer(cap_document(member, cap)).data)


def cap_document(member: User, cap: MemberCap | None) -> dict[str, Any]:
    """A member's limit, or that there is none, as CapSerializer shows it."""
    return {
        "member": member.username,
        "limit": cap.limit_amount if cap else None,
        "period": cap.period if cap else "",
        "used": cap.used if cap else None,
        "held": cap.held if cap else None,
    }


def _given(request: Request, kind: type[IssueRequest]) -> dict[str, Any]:
    """The checked body and the key: the caller's, or one that makes this request its own."""
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return {**body.validated_data, "key": idempotency_key(request) or uuid.uuid4().hex}
