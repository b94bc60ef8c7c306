"""What is done with a job besides running it: labels, shares, copies of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jobs import copies, sharing
from jobs.access import job_for, may_manage, output_for
from jobs.models import Job
from portal.pages.feedback import told

if TYPE_CHECKING:
    from people.models import User


@login_required
@require_POST
def labels(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Give the job the labels of a line with commas between them."""
    user = cast("User", request.user)
    job = job_for(user, job_id, "manage")
    texts = [part for part in request.POST.get("labels", "").split(",") if part.strip()]
    with told(request, _("The labels are saved.")):
        sharing.set_labels(actor=user, job=job, texts=texts)
    return _back(job, "sharing")


@login_required
@require_POST
def share(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Let a user or a group see the job."""
    user = cast("User", request.user)
    job = job_for(user, job_id, "manage")
    with told(request, _("The job is shared.")):
        sharing.share(
            actor=user,
            job=job,
            username=request.POST.get("username", "").strip()[:254],
            group=request.POST.get("group", ""),
        )
    return _back(job, "sharing")


@login_required
@require_POST
def unshare(request: HttpRequest, job_id: UUID, share_id: int) -> HttpResponse:
    """End a share; who loses sight of the job by that goes back to the list."""
    user = cast("User", request.user)
    job = job_for(user, job_id, "view")
    with told(request, _("The job is no longer shared with them.")):
        sharing.unshare(actor=user, job=job, share_id=share_id)
    return _back(job, "sharing") if may_manage(user, job) else redirect("pages:jobs")


@login_required
@require_POST
def copy(request: HttpRequest, job_id: UUID, number: int) -> HttpResponse:
    """Have the portal keep a copy of a result, or delete it (`action` remove)."""
    user = cast("User", request.user)
    job = job_for(user, job_id, "manage")
    output = output_for(user, job_id, number)
    if request.POST.get("action") == "remove":
        with told(request, _("The portal's copy is deleted.")):
            copies.remove(actor=user, output=output)
    else:
        with told(request, _("The result is being copied. This may take a while.")):
            copies.ask(actor=user, output=output)
    return _back(job, "results")


def _back(job: Job, tab: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('pages:job', args=[job.pk])}?tab={tab}")
