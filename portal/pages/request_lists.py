"""Lists of what people ask for: of an account, a group, a provider, and the whole portal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounting.access import account_for, lines_of
from accounting.accounts import group_account
from accounting.models import DisputeState
from accounting.requests import adjustments, disputes, holds, topups
from common.errors import NotFound
from people.access import group_for, is_operator
from portal.pages.adjust import AdjustForm
from portal.pages.paging import page_of
from portal.pages.references import names_of_members, titles_of_jobs
from providers.access import provider_for

if TYPE_CHECKING:
    from people.models import User


@dataclass(frozen=True, slots=True)
class Tab:
    """One list; `waiting` are those of its rows that somebody has to act upon."""

    name: str
    label: Any
    rows: Callable[[], QuerySet[Any]]
    waiting: Callable[[], QuerySet[Any]] | None = None

    def count(self) -> int:
        return self.waiting().count() if self.waiting else 0


@login_required
@require_safe
def account_requests(request: HttpRequest, account_id: int) -> HttpResponse:
    """What was asked about one account; members see what they asked, and their own charges."""
    user = cast("User", request.user)
    account = account_for(user, account_id, "view")
    member = lines_of(user, account)
    top_ups = topups.top_ups_on(account) if member is None else topups.top_ups_of(user)
    corrected = adjustments.adjustments_on(account)
    tabs = [
        _top_ups(lambda: top_ups),
        _disputes(lambda: disputes.disputes_on(account, member_id=member)),
        Tab(
            "refunds",
            _("Refunds and corrections"),
            lambda: corrected if member is None else corrected.filter(requested_by=user),
        ),
        _holds(lambda: holds.holds_on(account, member_id=member)),
    ]
    context = {"account": account, "may_ask": topups.may_ask(user, account)}
    return _lists(request, "requests/account.html", tabs, context)


@login_required
@require_safe
def group_requests(request: HttpRequest, slug: str) -> HttpResponse:
    """What a group's administrators decide, and what they asked for."""
    group = group_for(cast("User", request.user), slug, "manage")
    account = group_account(group)
    tabs = [
        _top_ups(lambda: topups.top_ups_on(account)),
        _disputes(lambda: disputes.disputes_on(account)),
        Tab("refunds", _("Refunds and corrections"), lambda: adjustments.adjustments_on(account)),
        _holds(lambda: holds.holds_on(account)),
    ]
    return _lists(request, "requests/group.html", tabs, {"account": account, "group": group})


@login_required
@require_safe
def provider_requests(request: HttpRequest, slug: str) -> HttpResponse:
    """What users say about a provider's charges, and what is held for its usage."""
    user = cast("User", request.user)
    provider = provider_for(user, slug, "manage")
    tabs = [
        _disputes(lambda: disputes.disputes_with(provider.pk)),
        Tab(
            "refunds",
            _("Refunds"),
            lambda: adjustments.adjustments_by(user).filter(
                charge__credit__code=f"provider:{provider.pk}"
            ),
        ),
        _holds(lambda: holds.holds_for(provider.pk)),
    ]
    return _lists(request, "requests/provider.html", tabs, {"provider": provider})


@login_required
@require_safe
def operator_requests(request: HttpRequest) -> HttpResponse:
    """Everything that operators decide."""
    user = cast("User", request.user)
    if not is_operator(user):
        raise NotFound
    form = AdjustForm.fresh() if request.GET.get("tab") == "approvals" else None
    context = {"form": form, "approval_limit": settings.ADJUSTMENT_APPROVAL_LIMIT}
    return _lists(request, "requests/operator.html", operator_tabs(user), context)


def operator_tabs(user: User) -> list[Tab]:
    """The operators' lists; what waits in them is counted on their desk."""
    return [
        _top_ups(topups.top_ups_for_operators),
        Tab(
            "approvals",
            _("Refunds and corrections"),
            lambda: adjustments.adjustments_by(user).order_by("decided_at", "-requested_at"),
            adjustments.pending,
        ),
        _disputes(lambda: disputes.disputes_seen_by(user)),
        _holds(holds.open_holds),
    ]


def _top_ups(rows: Callable[[], QuerySet[Any]]) -> Tab:
    def waiting() -> QuerySet[Any]:
        return rows().filter(state__in=topups.UNDECIDED)

    return Tab("credit", _("Requests for credit"), rows, waiting)


def _disputes(rows: Callable[[], QuerySet[Any]]) -> Tab:
    def waiting() -> QuerySet[Any]:
        return rows().filter(state=DisputeState.OPEN)

    return Tab("disputes", _("Disputes"), rows, waiting)


def _holds(rows: Callable[[], QuerySet[Any]]) -> Tab:
    return Tab("holds", _("Open holds"), rows)


def _lists(
    request: HttpRequest, template: str, tabs: list[Tab], context: dict[str, Any]
) -> HttpResponse:
    """The page of the tab that the address names; the first one when it names none."""
    user = cast("User", request.user)
    chosen = next((tab for tab in tabs if tab.name == request.GET.get("tab")), tabs[0])
    page = page_of(request, chosen.rows())
    context |= {"tabs": tabs, "chosen": chosen, "page": page}
    if chosen.name == "holds":
        bills = list(page.object_list)
        context |= {
            "releasable": holds.releasable(user, bills),
            "jobs": titles_of_jobs(user, (str(bill.pk) for bill in bills)),
            "members": names_of_members(bill.member_id for bill in bills),
        }
    return render(request, template, context)
