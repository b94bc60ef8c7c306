"""Monthly statements, seals with the entries that they cover, and spending."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounting.access import account_for, lines_of
from accounting.models import Account, MonthlyStatement, Seal
from accounting.statements import seals
from accounting.statements.entries import bookings
from accounting.statements.monthly import statement_of
from accounting.statements.months import month_of, shifted
from accounting.statements.spending import figures
from common.clock import now
from common.errors import Forbidden, InvalidInput
from common.serializers import CreditsField
from people.authentication import signed_in
from people.models import User

MONTHS, MOST_MONTHS = 12, 36
EARLIEST, LATEST = 2000, 2999
TOTALS = ("opening", "credits", "debits", "closing", "seal")


class MonthField(serializers.DateField):
    """A month as text such as 2026-01; inside, its first day."""

    def __init__(self, **given: Any) -> None:
        super().__init__(format="%Y-%m", input_formats=("%Y-%m",), **given)

    def to_internal_value(self, value: Any) -> date:
        month = super().to_internal_value(value)
        if not EARLIEST <= month.year <= LATEST:
            raise serializers.ValidationError(_("There is no such month here."))
        return month


class MonthlyStatementSerializer(serializers.ModelSerializer[MonthlyStatement]):
    """A month in UTC: opening + credits - debits = closing. `closed_at` null: it still runs.

    `seal` is the hash of the last seal that covers it. Members of a group get no totals.
    """

    month = MonthField()
    opening = CreditsField(allow_null=True)
    credits = CreditsField(allow_null=True)
    debits = CreditsField(allow_null=True)
    closing = CreditsField(allow_null=True)
    seal = serializers.CharField(source="seal.hash", allow_null=True, default=None)

    class Meta:
        model = MonthlyStatement
        fields = ("month", *TOTALS, "first_version", "last_version", "closed_at")

    def to_representation(self, found: MonthlyStatement) -> dict[str, Any]:
        told = super().to_representation(found)
        if self.context["only_own"]:
            told |= dict.fromkeys(TOTALS)
        return told


class BookedLineSerializer(serializers.Serializer[Any]):
    """A booked line; `member` is the id of the user on whose behalf a group paid."""

    version = serializers.IntegerField(help_text="counts the account's entries without a gap")
    transfer = serializers.UUIDField(source="transfer_id")
    at = serializers.DateTimeField(help_text="when it was booked")
    effective_at = serializers.DateTimeField(help_text="when it counts for")
    kind = serializers.CharField()
    debit = CreditsField()
    credit = CreditsField()
    balance = CreditsField(allow_null=True)
    counterparty = serializers.CharField()
    member = serializers.IntegerField(source="member_id", allow_null=True)
    reference = serializers.CharField(help_text="the job, if it is about one")
    reason = serializers.CharField()

    def to_representation(self, line: Any) -> dict[str, Any]:
        told = super().to_representation(line)
        return {**told, "balance": None} if self.context["only_own"] else told


class MonthSerializer(MonthlyStatementSerializer):
    """A month with its lines in the order of booking; `next` is the address of the next page."""

    next = serializers.CharField(allow_null=True)
    lines = BookedLineSerializer(many=True)

    class Meta(MonthlyStatementSerializer.Meta):
        fields = (*MonthlyStatementSerializer.Meta.fields, "next", "lines")  # type: ignore[assignment]


class LinesQuery(serializers.Serializer[Any]):
    after = serializers.IntegerField(
        default=0, min_value=0, max_value=2**62, help_text="from `next` of the page before"
    )
    limit = serializers.IntegerField(default=100, min_value=1, max_value=1000)


class SealSerializer(serializers.ModelSerializer[Seal]):
    class Meta:
        model = Seal
        fields = ("form", "from_version", "to_version", "previous_hash", "hash", "created_at")


class EntriesSerializer(serializers.Serializer[Any]):
    """Entries with exactly what is hashed, in its order: amounts are whole micro-credits."""

    form = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    entries = serializers.ListField(child=serializers.DictField())


class SpendingRowSerializer(serializers.Serializer[Any]):
    """What one member spent on one service in one month, less refunds; both null where unknown."""

    month = MonthField()
    member = serializers.CharField(allow_null=True)
    service = serializers.IntegerField(source="service_id", allow_null=True)
    amount = CreditsField()
    charges = serializers.IntegerField()


class SpendingQuery(serializers.Serializer[Any]):
    first = MonthField(required=False, help_text="2026-01; eleven months before the last if absent")
    last = MonthField(required=False, help_text="this month if absent")
    member = serializers.CharField(required=False, help_text="user name")
    service = serializers.IntegerField(required=False)


class Statements(ListAPIView[MonthlyStatement]):
    """The closed months of an account, newest first. Members of a group get no totals."""

    serializer_class = MonthlyStatementSerializer

    def get_queryset(self) -> QuerySet[MonthlyStatement]:
        user = signed_in(self.request)
        self.account = account_for(user, self.kwargs["account_id"], "view")
        return self.account.monthly_statements.select_related("seal").order_by("-month")

    def get_serializer_context(self) -> dict[str, Any]:
        user = signed_in(self.request)
        own = lines_of(user, account_for(user, self.kwargs["account_id"], "view"))
        return {**super().get_serializer_context(), "only_own": own is not None}


class Statement(APIView):
    @extend_schema(parameters=[LinesQuery], responses=MonthSerializer)
    def get(self, request: Request, account_id: int, month: date) -> Response:
        """One month, closed or running, with its lines. Members of a group see their own lines."""
        user = signed_in(request)
        account = account_for(user, account_id, "view")
        found, own = statement_of(account, month), lines_of(user, account)
        asked = _query(LinesQuery, request)
        first = max(found.first_version, asked["after"] + 1)
        lines = bookings(
            account, first, found.last_version, member_id=own, limit=asked["limit"] + 1
        )
        shown = lines[: asked["limit"]]
        found.lines = shown  # type: ignore[attr-defined]
        found.next = (  # type: ignore[attr-defined]
            _address(request, after=shown[-1].version) if len(lines) > len(shown) else None
        )
        return Response(MonthSerializer(found, context={"only_own": own is not None}).data)


class Seals(ListAPIView[Seal]):
    """The seals of an account, oldest first: each follows from the one before and its entries."""

    serializer_class = SealSerializer

    def get_queryset(self) -> QuerySet[Seal]:
        account = _whole(signed_in(self.request), self.kwargs["account_id"])
        return account.seals.order_by("from_version")


class Entries(APIView):
    @extend_schema(parameters=[LinesQuery], responses=EntriesSerializer)
    def get(self, request: Request, account_id: int) -> Response:
        """What the seals are computed from, oldest first, for whoever wants to check them."""
        account = _whole(signed_in(request), account_id)
        asked = _query(LinesQuery, request)
        first, limit = asked["after"] + 1, asked["limit"]
        rows = list(seals.sealed_facts(account, first, account.version, limit=limit))
        more = len(rows) == limit and rows[-1]["version"] < account.version
        following = _address(request, after=rows[-1]["version"]) if more else None
        told = {"form": seals.FORM, "next": following, "entries": rows}
        return Response(EntriesSerializer(told).data)


class Spending(APIView):
    @extend_schema(
        parameters=[SpendingQuery],
        responses=SpendingRowSerializer(many=True),
        operation_id="accounts_spending_list",
    )
    def get(self, request: Request, account_id: int) -> Response:
        """Who spent how much on what, by month. Members of a group see their own part."""
        user = signed_in(request)
        account = account_for(user, account_id, "view")
        asked = _query(SpendingQuery, request)
        last = asked.get("last") or month_of(now())
        first = asked.get("first") or shifted(last, 1 - MONTHS)
        if not shifted(last, 1 - MOST_MONTHS) <= first <= last:
            raise InvalidInput(_("Ask for 1 to 36 months."), locator="first")
        rows = figures(account, first=first, last=last, member_id=lines_of(user, account))
        names = User.objects.in_bulk({row.member_id for row in rows if row.member_id is not None})
        told = [
            {
                "month": row.month,
                "member": names[row.member_id].username if row.member_id in names else None,
                "service_id": row.service_id,
                "amount": row.amount,
                "charges": row.charges,
            }
            for row in rows
        ]
        wanted = [
            row
            for row in told
            if asked.get("member") in (None, row["member"])
            and asked.get("service") in (None, row["service_id"])
        ]
        return Response(SpendingRowSerializer(wanted, many=True).data)


def _whole(user: User, account_id: int) -> Account:
    """An account all of whose lines the user may see. Raises NotFound, Forbidden."""
    account = account_for(user, account_id, "view")
    if lines_of(user, account) is not None:
        raise Forbidden(_("Only the group's administrators may do this."))
    return account


def _query(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    query = kind(data=request.query_params)
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def _address(request: Request, **changed: int) -> str:
    parameters = request.query_params.copy()
    for name, value in changed.items():
        parameters[name] = str(value)
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")
