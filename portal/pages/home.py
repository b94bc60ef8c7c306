"""The first page, and the page with help."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounting.selectors import payable_accounts
from jobs.selectors import JobFilter, jobs_of
from portal.news import present_news
from portal.pages.apps import cards_of
from portal.prose import prose

if TYPE_CHECKING:
    from people.models import User

FEW = 5


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What runs, what failed, what may be spent, where to begin."""
    user = cast("User", request.user)
    newest = list(jobs_of(user, JobFilter(own=True))[: 2 * FEW])
    context = {
        "running": list(jobs_of(user, JobFilter(phase="running", own=True))[:FEW]),
        "ended": [job for job in newest if job.final][:FEW],
        "accounts": list(payable_accounts(user)),
        "cards": cards_of(user),
        "news": [(one, prose(one.text)) for one in present_news()[:FEW]],
    }
    return render(request, "home/home.html", context)


@login_required
@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """First steps for each kind of user, in the same place on every page."""
    return render(request, "home/help.html")
