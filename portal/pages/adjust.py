"""Refunds and corrections by operators: propose, approve, refuse; holds: release."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounting.models import Account, Adjustment, AdjustmentState
from accounting.requests import adjustments, holds
from common.errors import InvalidInput, NotFound
from people.access import is_operator
from portal.pages.feedback import told
from portal.pages.typed import credits_in

if TYPE_CHECKING:
    from people.models import User


class AdjustForm(forms.Form):
    """A correction of one account."""

    account = forms.CharField(
        label=gettext_lazy("Account"),
        max_length=64,
        help_text=gettext_lazy("Its code, e.g. user:17, group:4 or provider:9."),
    )
    amount = forms.CharField(
        label=gettext_lazy("Credits"),
        max_length=24,
        help_text=gettext_lazy("With a minus: taken from the account."),
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=100)

    @classmethod
    def fresh(cls) -> AdjustForm:
        return cls(initial={"key": str(uuid.uuid4())})


@login_required
@require_POST
def adjust(request: HttpRequest) -> HttpResponse:
    """Book a correction, or put it before a second operator."""
    user = _operator(request)
    with told(request) as said:
        row = adjustments.propose(
            actor=user,
            account=_account(request.POST.get("account", "").strip()),
            amount=credits_of(request),
            reason=request.POST.get("reason", ""),
            key=request.POST.get("key", "")[:100],
        )
        said.append(booked_or_waiting(row))
    return redirect(f"{reverse('pages:operator_requests')}?tab=approvals")


@login_required
@require_POST
def decide(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Approve or refuse what somebody else proposed (`action` approve or refuse)."""
    user = _operator(request)
    row = get_object_or_404(Adjustment, pk=pk)
    if request.POST.get("action") == "approve":
        with told(request, _("Approved and booked.")):
            adjustments.approve(actor=user, adjustment=row)
    else:
        with told(request, _("It will not be booked.")):
            adjustments.refuse(actor=user, adjustment=row, reason=request.POST.get("reason", ""))
    return redirect(f"{reverse('pages:operator_requests')}?tab=approvals")


@login_required
@require_POST
def release(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Give a hold back."""
    with told(request, _("The hold is released. Usage that comes later is not charged.")):
        holds.release_hold(
            actor=cast("User", request.user),
            job_id=job_id,
            reason=request.POST.get("reason", ""),
        )
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe else "pages:credit")


def booked_or_waiting(row: Adjustment) -> str:
    """What became of a proposal."""
    if row.state == AdjustmentState.BOOKED:
        return _("Booked.")
    return _("This is above the limit: it waits for a second operator's approval.")


def credits_of(request: HttpRequest, field: str = "amount") -> int:
    """An amount in credits, as people type it."""
    return credits_in(request.POST.get(field, ""), field)


def _operator(request: HttpRequest) -> User:
    user = cast("User", request.user)
    if not is_operator(user):
        raise NotFound
    return user


def _account(code: str) -> Account:
    found = Account.objects.filter(code=code).first() if "\x00" not in code else None
    if found is None:
        raise InvalidInput(_("There is no account of this code."), locator="account")
    return found
