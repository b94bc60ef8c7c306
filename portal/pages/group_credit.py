"""The credit of a group at a glance, for its administrators."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.accounts import group_account
from accounting.credit.alerts import with_thresholds
from accounting.models import AlertRule, TopUp
from accounting.requests.topups import UNDECIDED
from accounting.selectors import days_left, statement
from people.access import group_for
from portal.pages.expiry import expiry_of
from portal.pages.references import names_of_members, titles_of_jobs

if TYPE_CHECKING:
    from people.models import User

LINES = 15


@login_required
@require_safe
def group_credit(request: HttpRequest, slug: str) -> HttpResponse:
    """What there is, what ends soon, what was spent, and the latest lines."""
    user = cast("User", request.user)
    group = group_for(user, slug, "manage")
    account = group_account(group)
    expiry = expiry_of(account)
    part = statement(account, before=request.GET.get("before") or None, limit=LINES)
    low = [
        rule
        for rule in with_thresholds(AlertRule.objects.filter(account=account))
        if rule.threshold is not None and rule.available < rule.threshold  # type: ignore[attr-defined]
    ]
    context = {
        "group": group,
        "account": account,
        "members_count": group.memberships.count(),
        "days_left": days_left(account),
        **expiry,
        "requests": TopUp.objects.filter(source=account, state__in=UNDECIDED).count(),
        "low": low,
        "statement": part,
        "jobs": titles_of_jobs(user, (line.reference for line in part.lines)),
        "members": names_of_members(line.member_id for line in part.lines),
        "paged": bool(request.GET.get("before")),
    }
    return render(request, "groups/credit.html", context)
