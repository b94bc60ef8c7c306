"""Jobs: the list, one job with its tabs, its live part, and its end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode
from uuid import UUID
from zlib import crc32

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounting.access import account_for
from accounting.models import BillState, JobBill
from accounting.selectors import job_cost
from catalogue_client.access import item_of_job
from common.clock import now
from common.errors import NotFound
from jobs import lifecycle
from jobs.access import job_for, may_manage
from jobs.callbacks import secret_of
from jobs.live import stream
from jobs.models import Job
from jobs.selectors import JobFilter, events_of, jobs_of, why_waiting
from jobs.sharing import labels_of, shares_of
from jobs.states import SUCCESSFUL, State
from people.selectors import groups_of
from portal.pages.catalogue import entry_links
from portal.pages.documents import documents_of
from portal.pages.feedback import told
from portal.pages.job_steps import steps_of
from portal.pages.paging import page_of
from portal.pages.publications import published
from portal.pages.results import layers_of, results_of
from portal.pages.snippets import snippets_of
from portal.pages.viewers import viewer_buttons
from providers.models import Service
from thematic_apps.access import can_use

if TYPE_CHECKING:
    from people.models import User

POLLING_STOPPED = 286  # htmx's word for: this was the last answer
PUBLISHED_WITHIN = timedelta(minutes=10)
PHASES = (
    ("", gettext_lazy("All")),
    ("running", gettext_lazy("Running")),
    ("succeeded", gettext_lazy("Succeeded")),
    ("failed", gettext_lazy("Failed or dismissed")),
)
TABS = (
    ("summary", gettext_lazy("Summary")),
    ("results", gettext_lazy("Results")),
    ("inputs", gettext_lazy("Inputs")),
    ("cost", gettext_lazy("Cost")),
    ("sharing", gettext_lazy("Sharing")),
    ("catalogue", gettext_lazy("Catalogue")),
    ("log", gettext_lazy("Log")),
    ("script", gettext_lazy("As a script")),
)


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """The jobs that the user may see; the filter is in the address."""
    user = cast("User", request.user)
    wanted = JobFilter(
        phase=request.GET.get("phase", ""),
        service_id=_number(request.GET.get("service", "")),
        text=request.GET.get("text", "").strip()[:200],
        since=_day(request.GET.get("since", "")),
        until=_day(request.GET.get("until", "")),
        own=request.GET.get("own") == "1",
        label=request.GET.get("label", "")[:40],
    )
    found = jobs_of(user, wanted).select_related("quote").prefetch_related("labels")
    page = page_of(request, found)
    services = Service.objects.filter(jobs__in=jobs_of(user)).distinct().order_by("title")
    context = {
        "page": page,
        "wanted": wanted,
        "filtered": wanted != JobFilter(),
        "phases": PHASES,
        "services": services,
        "labels": labels_of(jobs_of(user)),
        "live": any(not job.final for job in page),
    }
    return render(request, "jobs/list.html", context)


@login_required
@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """One job; `tab` in the address chooses what is shown."""
    user = cast("User", request.user)
    found = job_for(user, job_id, "view")
    tab = request.GET.get("tab", "")
    if tab not in dict(TABS):
        tab = "summary"
    context = _frame(user, found) | {"tab": tab, "tabs": TABS}
    if tab in _CONTEXTS:
        context |= _CONTEXTS[tab](user, found)
    return render(request, f"jobs/{tab}.html", context)


@login_required
@require_safe
def live(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The live part of a job's page.

    204 while nothing has changed since `seen`, 286 with the last state. Tabs that are made of what
    comes with and after the end (files, settlement, catalogue entry) are loaded again then.
    """
    user = cast("User", request.user)
    found = job_for(user, job_id, "view")
    context = _frame(user, found) | {"tab": request.GET.get("tab", "")}
    # An open question, or the focus, in the actions is left alone while they stay the same.
    context["new_actions"] = not request.GET.get("seen", "").endswith(f"-{_stage(found)}")
    if request.GET.get("seen") == context["seen"] and context["moving"]:
        return HttpResponse(status=204)
    if found.final and context["tab"] in _MADE_AT_THE_END:
        return HttpResponse(headers={"HX-Refresh": "true"})
    answer = render(request, "jobs/live_answer.html", context)
    if not context["moving"]:
        answer.status_code = POLLING_STOPPED
    return answer


@login_required
@require_safe
def events(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """What happens to the job, as server-sent events; the page asks `live` when it hears one."""
    user = cast("User", request.user)
    return stream(request, job_for(user, job_id, "view"), user)


@login_required
@require_POST
def dismiss(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """End a job."""
    user = cast("User", request.user)
    found = job_for(user, job_id, "manage")
    with told(
        request, _("The job is being dismissed. What was held is released when it has ended.")
    ):
        lifecycle.dismiss(actor=user, job=found)
    return redirect("pages:job", job_id=found.pk)


def _stage(found: Job) -> str:
    """What the actions of a job depend on."""
    return "over" if found.final or found.state == State.CANCELLING else "open"


def _frame(user: User, found: Job) -> dict[str, Any]:
    """What every tab shows around its content, with the live part."""
    events = list(events_of(found, user))
    bill = JobBill.objects.filter(job_id=found.pk).values_list("state", flat=True).first()
    message = crc32(found.message.encode())
    stage = _stage(found)
    return {
        "events": events,
        "moving": _moving(found, bill),
        "steps": steps_of(found, events),
        "waiting": why_waiting(found),
        "outputs": results_of(found) if found.final else [],
        # The message and the silence of a provider change without an event, and so does the bill.
        "seen": f"{len(events)}-{found.percent}-{message}-{found.unreachable_since}-{bill}-{stage}",
        "job": found,
        "may_manage": may_manage(user, found),
        "labels": list(found.labels.all()),
        "again": _again(user, found),
        "seconds": _poll_seconds(found),
        "documents": documents_of(f"jobs/{found.pk}"),
    }


def _moving(found: Job, bill: str | None) -> bool:
    """Whether something still changes by itself: the state, the settlement, the publication."""
    if not found.final or bill in (BillState.OPEN, BillState.AWAITING_USAGE):
        return True
    if found.state not in SUCCESSFUL or found.published_at is not None:
        return False
    return found.finished_at is not None and now() - found.finished_at < PUBLISHED_WITHIN


def _again(user: User, found: Job) -> str:
    """The address of the form filled with this job's inputs; "" when the service cannot be used."""
    if not can_use(user, found.service):
        return ""
    public = found.service.public_identifier
    app = found.application
    if app is not None and app.services.filter(pk=found.service_id).exists():
        address = reverse("pages:run", kwargs={"slug": app.slug, "public": public})
    else:
        address = reverse("pages:run_alone", kwargs={"public": public})
    return f"{address}?{urlencode({'from': str(found.pk)})}"


def _poll_seconds(found: Job) -> int:
    """How often to ask: less often the older the job is."""
    age = (now() - found.created_at).total_seconds()
    steps = ((120, 2), (900, 5))
    return next((seconds for limit, seconds in steps if age < limit), 15)


def _results(user: User, found: Job) -> dict[str, Any]:
    shown = {"layers": layers_of(results_of(found)), **_catalogue(user, found)}
    return {**shown, **published(user, found)}


def _inputs(user: User, found: Job) -> dict[str, Any]:
    description = found.service_version.description
    described = {i.identifier: i for i in description.inputs}
    return {"values": [(described.get(v.identifier), v) for v in found.input_values]}


def _cost(user: User, found: Job) -> dict[str, Any]:
    try:
        account_for(user, found.account_id, "view")
    except NotFound:
        return {"cost": job_cost(found.pk), "sees_account": False}
    return {"cost": job_cost(found.pk), "sees_account": True}


def _sharing(user: User, found: Job) -> dict[str, Any]:
    """With whom it is shared, and whom its end is told, for who manages it."""
    if not may_manage(user, found):
        return {"own_share": found.shares.filter(user=user).first()}
    return {
        "shares": shares_of(found),
        "groups": groups_of(user),
        "callbacks": found.callbacks.all(),
        "secret": secret_of(user) if found.owner_id == user.pk else "",
    }


def _catalogue(user: User, found: Job) -> dict[str, Any]:
    try:
        item = item_of_job(user, found.pk)
    except NotFound:
        return {"item": None}
    views = viewer_buttons(user, [item], brief=False).get(item.pk, [])
    return {"item": item, "links": entry_links(item), "views": views}


def _script(user: User, found: Job) -> dict[str, Any]:
    return {"snippets": snippets_of(found, user.username)}


_MADE_AT_THE_END = ("results", "cost", "catalogue")
_CONTEXTS = {
    "results": _results,
    "inputs": _inputs,
    "cost": _cost,
    "sharing": _sharing,
    "catalogue": _catalogue,
    "script": _script,
}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None  # noqa: PLR2004


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
