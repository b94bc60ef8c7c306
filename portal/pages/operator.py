"""The operator's desk: what waits for a decision, and whether the ledger is right."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounting import check
from accounting.accounts import group_account, user_account
from accounting.credit.transfers import issue_credit
from accounting.models import Account, RecordState, UsageRecord
from common import money
from common.errors import InvalidInput, NotFound
from jobs.models import Due
from people.access import is_operator
from people.models import Group
from people.selectors import find_user
from portal.pages.feedback import told
from portal.pages.request_lists import operator_tabs
from providers.selectors import waiting_providers

if TYPE_CHECKING:
    from people.models import User

FEW = 20


class IssueForm(forms.Form):
    """Credit for a group or a user."""

    holder = forms.CharField(
        label=gettext_lazy("Group or user"),
        max_length=254,
        help_text=gettext_lazy("A group's short name, a user name, or an e-mail address."),
    )
    amount = forms.CharField(label=gettext_lazy("Credits"), max_length=20)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=500)
    key = forms.CharField(widget=forms.HiddenInput, max_length=100)


@login_required
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Providers to approve, parked work, usage that is held back, credit to issue."""
    _must_operate(request)
    return _page(request, IssueForm(initial={"key": str(uuid.uuid4())}))


@login_required
@require_POST
def check_ledger(request: HttpRequest) -> HttpResponse:
    """Run the ledger check and show what it found."""
    _must_operate(request)
    findings = check.findings()
    return _page(request, IssueForm(initial={"key": str(uuid.uuid4())}), findings=findings)


@login_required
@require_POST
def issue(request: HttpRequest) -> HttpResponse:
    """Issue credit to the account of a group or a user."""
    _must_operate(request)
    form = IssueForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    values = form.cleaned_data
    with told(request, _("The credit is issued.")):
        issue_credit(
            actor=cast("User", request.user),
            account=_account_of(values["holder"].strip()),
            amount=money.micro(values["amount"].replace(",", ".")),
            reason=values["reason"],
            key=values["key"],
        )
    return redirect("pages:operator")


def _page(request: HttpRequest, form: IssueForm, findings: list[str] | None = None) -> HttpResponse:
    held_back = UsageRecord.objects.filter(state=RecordState.HELD_BACK, superseded_by=None)
    context = {
        "form": form,
        "findings": findings,
        "requests": operator_tabs(cast("User", request.user)),
        "checked": findings is not None,
        "waiting": waiting_providers(),
        "parked": Due.objects.filter(parked_at__isnull=False, done_at=None)[:FEW],
        "held_back": held_back[:FEW],
    }
    return render(request, "operator/desk.html", context)


def _must_operate(request: HttpRequest) -> None:
    """For everybody else this page does not exist."""
    if not is_operator(cast("User", request.user)):
        raise NotFound


def _account_of(holder: str) -> Account:
    group = Group.objects.filter(slug=holder).first()
    if group is not None:
        return group_account(group)
    try:
        return user_account(find_user(holder))
    except NotFound:
        raise InvalidInput(_("There is no group and no user of this name.")) from None
