"""Accounts: balances, holds, the newest lines; and the charts of spending that come after."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.access import account_for, lines_of
from accounting.models import Account, AccountKind
from accounting.selectors import (
    cap_of,
    days_left,
    manageable_accounts,
    open_holds,
    payable_accounts,
    statement,
)
from people.access import is_operator
from people.models import User
from portal.pages.charts import spending_of
from portal.pages.expiry import expiry_of
from portal.pages.references import names_of_members, titles_of_jobs

PER_PAGE = 25
HOLDS = 10


@login_required
@require_safe
def credit(request: HttpRequest) -> HttpResponse:
    """The accounts that the user may see, and the statement of the first."""
    user = cast("User", request.user)
    accounts = list(payable_accounts(user))
    if accounts:
        return _account_page(request, user, max(accounts, key=lambda a: a.available))
    return render(request, "credit/account.html", {"accounts": accounts, "account": None})


@login_required
@require_safe
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    """One account: posted, held, available, and its statement."""
    user = cast("User", request.user)
    return _account_page(request, user, account_for(user, account_id, "view"))


@login_required
@require_safe
def charts(request: HttpRequest, account_id: int) -> HttpResponse:
    """What an account's page loads after itself: it adds up charges, and may take a moment."""
    user = cast("User", request.user)
    found = account_for(user, account_id, "view")
    context = {
        "account": found,
        "charts": spending_of(user, found).charts(),
        "days_left": days_left(found),
    }
    return render(request, "credit/charts.html", context)


def _account_page(request: HttpRequest, user: User, found: Account) -> HttpResponse:
    own_lines = lines_of(user, found)
    part = statement(
        found, member_id=own_lines, before=request.GET.get("before") or None, limit=PER_PAGE
    )
    holds = list(open_holds(found, member_id=own_lines)[:HOLDS])
    others = manageable_accounts(user) if is_operator(user) else payable_accounts(user)
    references = [line.reference for line in part.lines] + [hold.reference for hold in holds]
    context = {
        "account": found,
        "accounts": list(others[:50]),
        "statement": part,
        "holds": holds,
        "only_own": own_lines is not None,
        "cap": cap_of(found, user.pk),
        "may_configure": found.kind != AccountKind.SYSTEM and own_lines is None,
        **expiry_of(found),
        "jobs": titles_of_jobs(user, references),
        "members": names_of_members(line.member_id for line in part.lines),
        "paged": bool(request.GET.get("before")),
    }
    return render(request, "credit/account.html", context)
