"""Monthly statements of an account: the list of months, and one month with its lines."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.access import account_for, lines_of
from accounting.statements.entries import bookings
from accounting.statements.monthly import running, statement_of
from common.errors import InvalidInput
from portal.pages.paging import page_of
from portal.pages.references import names_of
from portal.statement_files import csv_of, month_csv, month_pdf

if TYPE_CHECKING:
    from people.models import User

MONTHS = 24
LINES = 100


@login_required
@require_safe
def months(request: HttpRequest, account_id: int) -> HttpResponse:
    """Every month of the account, the running one first. Members of a group get no totals."""
    user = cast("User", request.user)
    found = account_for(user, account_id, "view")
    page = page_of(request, found.monthly_statements.order_by("-month"), MONTHS)
    context = {
        "account": found,
        "page": page,
        "running": running(found) if page.number == 1 else None,
        "only_own": lines_of(user, found) is not None,
    }
    return render(request, "credit/statements.html", context)


@login_required
@require_safe
def month(request: HttpRequest, account_id: int, month: date) -> HttpResponse:
    """One month: totals, seal, and lines in the order of booking. Members see their own lines."""
    user = cast("User", request.user)
    account = account_for(user, account_id, "view")
    found = statement_of(account, month)
    own = lines_of(user, account)
    first = max(found.first_version, _after(request) + 1)
    lines = bookings(account, first, found.last_version, member_id=own, limit=LINES + 1)
    shown = lines[:LINES]
    context = {
        "account": account,
        "found": found,
        "only_own": own is not None,
        "lines": shown,
        "names": names_of(user, shown),
        "paged": first > found.first_version,
        "next": shown[-1].version if len(lines) > LINES else None,
    }
    return render(request, "credit/month.html", context)


@login_required
@require_safe
def statement_month_csv(
    request: HttpRequest, account_id: int, month: date
) -> StreamingHttpResponse:
    """One month as CSV for spreadsheets."""
    user = cast("User", request.user)
    return month_csv(user, account_for(user, account_id, "view"), month)


@login_required
@require_safe
def statement_month_pdf(request: HttpRequest, account_id: int, month: date) -> HttpResponse:
    """One month on A4."""
    user = cast("User", request.user)
    return month_pdf(user, account_for(user, account_id, "view"), month)


@login_required
@require_safe
def statement_csv(request: HttpRequest, account_id: int) -> StreamingHttpResponse:
    """Every line of the account as CSV, oldest first."""
    user = cast("User", request.user)
    found = account_for(user, account_id, "view")
    return csv_of(user, found, 1, found.version, f"statement-{found.pk}")


def _after(request: HttpRequest) -> int:
    text = request.GET.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 (64 bits)
        raise InvalidInput(locator="after")
    return int(text)
