"""The operator's page *Set-up*: what the installation still lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from common.errors import NotFound
from people.access import is_operator
from portal.doctor import Verdict, connection_findings, settings_findings, state_findings
from portal.first_steps import first_steps

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """First steps and findings; by POST mail server, broker and storage are called as well."""
    if not is_operator(cast("User", request.user)):
        raise NotFound
    findings = [*settings_findings(), *state_findings()]
    if request.method == "POST":
        findings += connection_findings()
    wrong = [one for one in findings if one.verdict != Verdict.GOOD]
    context = {
        "steps": first_steps(),
        "wrong": sorted(wrong, key=lambda one: one.verdict != Verdict.BAD),
        "right": [one for one in findings if one.verdict == Verdict.GOOD],
        "called": request.method == "POST",
    }
    return render(request, "operator/setup.html", context)
