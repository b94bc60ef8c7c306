"""The usage console: what providers reported, what fits no job, what is wrong, what is missing.

Operators see all of it, the owner of a provider what is of the own providers; for everybody else
the console does not exist.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounting.models import MessageState, QuarantinedRecord, RecordState, UsageMessage
from accounting.usage.overview import (
    missing_usage,
    overview,
    records_in,
    site_months,
    sync_records,
)
from common.clock import now
from portal.pages.paging import page_of
from portal.usage_scope import Scope, scope_for

if TYPE_CHECKING:
    from people.models import User

DAYS = 30
SHOWN_TEXT = 20_000


def scope_of(request: HttpRequest) -> Scope:
    """What the console shows to this user: all, or the provider that the address names."""
    return scope_for(cast("User", request.user), request.GET.get("provider", ""))


@login_required
@require_safe
def summary(request: HttpRequest) -> HttpResponse:
    """A line per provider: received, matched, in quarantine, missing."""
    scope = scope_of(request)
    lines = overview(scope.ids, since=now() - timedelta(days=DAYS))
    return _page(request, scope, "summary", page=page_of(request, lines), days=DAYS)


@login_required
@require_safe
def records(request: HttpRequest) -> HttpResponse:
    """Records, those without a job first of all; `state` narrows them ("all": every one)."""
    scope = scope_of(request)
    state = request.GET.get("state", RecordState.UNMATCHED)
    known = state if state in RecordState.values else ""
    rows = page_of(request, records_in(known, scope.ids))
    return _page(request, scope, "records", page=rows, state=known, states=RecordState.choices)


@login_required
@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    """Bad records of messages whose good ones were loaded."""
    scope = scope_of(request)
    rows = scope.within(QuarantinedRecord.objects.filter(state="WAITING"))
    page = page_of(request, rows.select_related("message").defer("message__body"))
    return _page(request, scope, "quarantine", page=page)


@login_required
@require_safe
def messages(request: HttpRequest) -> HttpResponse:
    """Messages as they came in, newest first; narrowed by `state`."""
    scope = scope_of(request)
    state = request.GET.get("state", "")
    rows = scope.within(UsageMessage.objects.defer("body", "warnings"))
    if state in MessageState.values:
        rows = rows.filter(state=state)
    page = page_of(request, rows)
    return _page(request, scope, "messages", page=page, state=state, states=MessageState.choices)


@login_required
@require_safe
def message(request: HttpRequest, message_id: str) -> HttpResponse:
    """One message: its text, and everything that is wrong with it."""
    scope = scope_of(request)
    found = get_object_or_404(scope.within(UsageMessage.objects.all()), pk=message_id)
    return _page(
        request,
        scope,
        "message",
        message=found,
        faults=page_of(request, found.errors),
        warnings=found.warnings[:50],
        text=found.body[:SHOWN_TEXT],
        cut=len(found.body) > SHOWN_TEXT,
    )


@login_required
@require_safe
def missing(request: HttpRequest) -> HttpResponse:
    """Jobs at their end whose usage nobody reported, the oldest first."""
    scope = scope_of(request)
    return _page(request, scope, "missing", page=page_of(request, missing_usage(scope.ids)))


@login_required
@require_safe
def months(request: HttpRequest) -> HttpResponse:
    """What sites say they published, beside what was received."""
    scope = scope_of(request)
    page = page_of(request, sync_records(scope.ids))
    return _page(request, scope, "months", page=page, lines=site_months(list(page)))


def _page(request: HttpRequest, scope: Scope, part: str, **context: Any) -> HttpResponse:
    common = {
        "part": part,
        "providers": scope.names,
        "chosen": scope.chosen,
        "several": scope.chosen is None and len(scope.names) > 1,
        "operator": scope.everything,
    }
    return render(request, f"usage/{part}.html", common | context)
