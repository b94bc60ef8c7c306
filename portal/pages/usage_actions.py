"""What operators and providers do about usage that did not go through by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounting.models import QuarantinedRecord, UsageMessage, UsageRecord
from accounting.usage import desk
from common.errors import Forbidden, InvalidInput
from portal.pages.feedback import told
from portal.pages.usage_console import scope_of

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_POST
def act_on_record(request: HttpRequest, record_id: int) -> HttpResponse:
    """Give a record to a job, or let one that was held back count (`action`); for operators."""
    scope = scope_of(request)
    record = get_object_or_404(scope.within(UsageRecord.objects.all()), pk=record_id)
    if not scope.everything:
        raise Forbidden(_("Only operators decide which job a record belongs to."))
    actor = cast("User", request.user)
    if request.POST.get("action") == "release":
        with told(request, _("The record counts now.")):
            desk.release_held_back(record, actor=actor)
    else:
        with told(request, _("The record belongs to the job now.")):
            desk.assign_to_job(record, _job_id(request), actor=actor)
    return _back(request, "pages:usage_records")


@login_required
@require_POST
def act_on_quarantined(request: HttpRequest, row_id: int) -> HttpResponse:
    """Load a bad record with the corrected `text`, or drop it (`action`)."""
    scope = scope_of(request)
    rows = scope.within(QuarantinedRecord.objects.select_related("message"))
    row = get_object_or_404(rows, pk=row_id)
    actor = cast("User", request.user)
    if request.POST.get("action") == "drop":
        with told(request, _("The record is dropped.")):
            desk.drop_quarantined(row, actor=actor)
    else:
        with told(request, _("The record is loaded.")):
            desk.load_quarantined(row, request.POST.get("text", ""), actor=actor)
    return _back(request, "pages:usage_quarantine")


@login_required
@require_POST
def act_on_message(request: HttpRequest, message_id: str) -> HttpResponse:
    """Take a refused message in again, by the rules of now, or drop it (`action`)."""
    scope = scope_of(request)
    found = get_object_or_404(scope.within(UsageMessage.objects.all()), pk=message_id)
    actor = cast("User", request.user)
    if request.POST.get("action") == "drop":
        with told(request, _("Nobody has to look at this message any more.")):
            desk.drop_message(found, actor=actor)
    else:
        with told(request, _("The message is loaded.")):
            desk.retry_message(found, actor=actor)
    return redirect("pages:usage_message", message_id=message_id)


@login_required
@require_POST
def rematch(request: HttpRequest) -> HttpResponse:
    """Look once more for the jobs and accounts of records that have none."""
    found = desk.rematch(scope_of(request).ids)
    messages.success(request, _("%(n)s records found their place.") % {"n": found})
    return _back(request, "pages:usage_records")


def _job_id(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("job", "").strip())
    except ValueError:
        raise InvalidInput(_("This is not the identifier of a job.")) from None


def _back(request: HttpRequest, name: str) -> HttpResponse:
    """To the list with its filters, from where the action came."""
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return redirect(wanted)
    return redirect(reverse(name))
