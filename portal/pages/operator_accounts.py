"""Every account, for operators: found by name, with its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.models import Account, AccountKind, AccountStatus
from common.errors import NotFound
from people.access import is_operator
from portal.pages.paging import page_of

if TYPE_CHECKING:
    from people.models import User

LONGEST_TEXT = 100


@login_required
@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    """The accounts, filtered by `text`, `kind` and `status`; others do not see this page."""
    if not is_operator(cast("User", request.user)):
        raise NotFound
    text = request.GET.get("text", "").strip()[:LONGEST_TEXT]
    kind, status = request.GET.get("kind", ""), request.GET.get("status", "")
    found = Account.objects.select_related("user", "group").order_by("kind", "name", "pk")
    if text:
        owner = Q(user__username__icontains=text) | Q(user__email__icontains=text)
        found = found.filter(
            owner | Q(name__icontains=text) | Q(code__iexact=text) | Q(group__slug__icontains=text)
        )
    if kind in AccountKind.values:
        found = found.filter(kind=kind)
    if status in AccountStatus.values:
        found = found.filter(status=status)
    context = {
        "page": page_of(request, found),
        "text": text,
        "kind": kind,
        "status": status,
        "kinds": AccountKind.choices,
        "statuses": AccountStatus.choices,
    }
    return render(request, "operator/accounts.html", context)
