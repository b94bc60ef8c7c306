"""One charge: what it was for, what came back; dispute it, answer a dispute, give some back."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounting.models import Dispute, DisputeState
from accounting.requests import adjustments, disputes
from accounting.requests.charges import Charge, charge_for
from accounting.usage.paid import quantities_of, records_behind
from common.errors import InvalidInput, NotFound
from portal.pages.adjust import booked_or_waiting, credits_of
from portal.pages.feedback import told
from portal.pages.references import names_of_members, titles_of_jobs
from providers.models import Provider

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_http_methods(["GET", "POST"])
def charge(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A charge for who paid, who earned, and operators; POST does `action`."""
    user = cast("User", request.user)
    seen = charge_for(user, pk)
    if request.method == "POST":
        action = request.POST.get("action", "")
        if action not in _ACTIONS:
            raise NotFound
        with told(request) as said:
            said.append(_ACTIONS[action](request, user, seen))
        return redirect("pages:charge", pk=pk)
    rows = list(disputes.disputes_of(seen)[:20])
    current = next((row for row in rows if row.state == DisputeState.OPEN), None)
    context = {
        "charge": seen,
        "job": titles_of_jobs(user, [seen.transfer.reference]).get(seen.transfer.reference),
        "member": names_of_members([seen.member_id]).get(seen.member_id or 0),
        "usage": [(one, quantities_of(one)) for one in records_behind(seen.transfer)],
        "refunds": seen.transfer.refunds.order_by("created_at"),
        "disputes": rows,
        "current": current,
        "resolves": current is not None and disputes.may_resolve(user, current),
        "provider": Provider.objects.filter(pk=seen.provider_id).first() if seen.earns else None,
        "key": str(uuid.uuid4()),
        "approval_limit": settings.ADJUSTMENT_APPROVAL_LIMIT,
    }
    return render(request, "requests/charge.html", context)


def _dispute(request: HttpRequest, user: User, seen: Charge) -> str:
    text = request.POST.get("text", "")
    disputes.open_dispute(actor=user, charge_id=seen.transfer.pk, text=text)
    return _("Your dispute is on its way to the provider.")


def _refund(request: HttpRequest, user: User, seen: Charge) -> str:
    row = adjustments.propose_refund(
        actor=user,
        charge_id=seen.transfer.pk,
        amount=credits_of(request),
        reason=request.POST.get("reason", ""),
        key=request.POST.get("key", "")[:100],
    )
    return booked_or_waiting(row)


def _resolve(request: HttpRequest, user: User, seen: Charge) -> str:
    try:
        state = DisputeState(request.POST.get("state", ""))
        pk = UUID(request.POST.get("dispute", ""))
    except ValueError:
        raise InvalidInput(_("Accept, accept in part, or reject.")) from None
    disputes.resolve(
        actor=user,
        dispute=get_object_or_404(Dispute, pk=pk, transfer=seen.transfer),
        state=state,
        amount=credits_of(request) if state == DisputeState.PARTLY else None,
        answer=request.POST.get("answer", ""),
    )
    return _("Answered. Who disputed the charge gets a mail.")


_ACTIONS: dict[str, Callable[[HttpRequest, User, Charge], str]] = {
    "dispute": _dispute,
    "refund": _refund,
    "resolve": _resolve,
}
