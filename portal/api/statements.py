"""Monthly statements as files, through the REST API."""

from __future__ import annotations

from datetime import date

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounting.access import account_for
from people.authentication import signed_in
from portal.statement_files import month_csv, month_pdf, usage_file


class StatementCsv(APIView):
    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, account_id: int, month: date) -> HttpResponseBase:
        """A month's lines as CSV for spreadsheets. Members of a group get their own lines."""
        user = signed_in(request)
        return month_csv(user, account_for(user, account_id, "view"), month)


class UsageCsv(APIView):
    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, account_id: int) -> HttpResponseBase:
        """The usage that an account pays for as CSV. Members of a group get their own."""
        user = signed_in(request)
        return usage_file(user, account_for(user, account_id, "view"))


class StatementPdf(APIView):
    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, account_id: int, month: date) -> HttpResponseBase:
        """A month's statement on A4. Members of a group get their own lines, without totals."""
        user = signed_in(request)
        return month_pdf(user, account_for(user, account_id, "view"), month)
