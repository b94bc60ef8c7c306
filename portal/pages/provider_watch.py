"""A provider over time: readings and changes, maintenance windows, the versions of a service."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.errors import Conflict, InvalidInput
from people.models import User as Person
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.pages.provider_console import frame
from portal.pages.provider_forms import label_of
from portal.templatetags.changes import number_of
from providers import maintenance as windows
from providers.access import provider_for
from providers.changes import changes_of
from providers.differences import differences
from providers.discovery import actor_of
from providers.models import DiscoveryRun, Provider, ProviderChange, Service
from providers.selectors import versions_of

if TYPE_CHECKING:
    from people.models import User

PER_PAGE = 20
VERSIONS_PER_PAGE = 5

WHAT = {
    "registered": gettext_lazy("Registered"),
    "settings": gettext_lazy("Settings changed"),
    "services": gettext_lazy("Services read"),
    "approved": gettext_lazy("Approved"),
    "suspended": gettext_lazy("Suspended"),
    "service switched on": gettext_lazy("Service switched on"),
    "service switched off": gettext_lazy("Service switched off"),
    "maintenance planned": gettext_lazy("Maintenance planned"),
    "maintenance ended": gettext_lazy("Maintenance ended"),
    "maintenance cancelled": gettext_lazy("Maintenance cancelled"),
    "certificate seen": gettext_lazy("Certificate read from the server"),
    "certificate given": gettext_lazy("Certificate given"),
    "certificate activated": gettext_lazy("Certificate activated"),
    "certificate discarded": gettext_lazy("Certificate discarded"),
    "certificate removed": gettext_lazy("Certificate no longer pinned"),
    # Kinds of changes to services, and of settings that are no field of a form.
    "added": gettext_lazy("New"),
    "changed": gettext_lazy("Changed"),
    "withdrawn": gettext_lazy("Withdrawn"),
    "restored": gettext_lazy("Back"),
    "state": gettext_lazy("State"),
}

_WHEN = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class WindowForm(forms.Form):
    """A maintenance window; times are in UTC, as the portal's own."""

    starts_at = forms.DateTimeField(label=gettext_lazy("Begins (UTC)"), widget=_WHEN)
    ends_at = forms.DateTimeField(label=gettext_lazy("Ends (UTC)"), widget=_WHEN)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=windows.MOST_NOTE,
        required=False,
        help_text=gettext_lazy("Shown to users whose jobs wait."),
    )


@login_required
@require_safe
def history(request: HttpRequest, slug: str) -> HttpResponse:
    """Who changed what, or the readings of its services (`view`), newest first."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "view")
    view = "readings" if request.GET.get("view") == "readings" else "changes"
    context = frame(user, found) | {"tab": "history", "view": view}
    if view == "readings":
        page = page_of(request, found.discovery_runs.all(), PER_PAGE)
        context |= {"page": page, "rows": _readings(found, page)}
    else:
        changes = page_of(request, changes_of(found), PER_PAGE)
        context |= {"page": changes, "rows": _changes(changes)}
    return render(request, "providers/history.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def maintenance(request: HttpRequest, slug: str) -> HttpResponse:
    """Windows that are open or planned; POST plans one."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    form = WindowForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            windows.plan(actor=user, provider=found, **form.cleaned_data)
        except (InvalidInput, Conflict) as error:
            locator = getattr(error, "locator", "")
            form.add_error(locator if locator in form.fields else None, error.detail)
        else:
            messages.success(request, _("The window is planned. Jobs wait while it is open."))
            return redirect("pages:provider_maintenance", slug=slug)
    page = page_of(request, windows.not_over(found), PER_PAGE)
    context = frame(user, found) | {"tab": "maintenance", "page": page, "form": form}
    return render(request, "providers/maintenance.html", context)


@login_required
@require_POST
def end_maintenance(request: HttpRequest, slug: str, window_id: int) -> HttpResponse:
    """End an open window, or cancel a planned one."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    with told(request, _("The window is over.")):
        windows.end(actor=user, provider=found, window_id=window_id)
    return redirect("pages:provider_maintenance", slug=slug)


@login_required
@require_safe
def service(request: HttpRequest, slug: str, service_id: int) -> HttpResponse:
    """A service of the provider, with the versions of its description and what changed."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "view")
    shown = get_object_or_404(
        Service.objects.select_related("provider", "current"), pk=service_id, provider=found
    )
    page = page_of(request, versions_of(shown), VERSIONS_PER_PAGE)
    described = shown.current.full_description if shown.current else None
    context = frame(user, found) | {
        "tab": "service",
        "service": shown,
        "described": described,
        "page": page,
        "versions": _versions(shown, page),
    }
    return render(request, "providers/service.html", context)


def _versions(shown: Service, page: Page[Any]) -> list[dict[str, Any]]:
    """The versions of a page with what changed from the one before."""
    listed = list(page)
    if listed:  # the one before the oldest of this page stands on the next
        listed += versions_of(shown).filter(number__lt=listed[-1].number)[:1]
    told_of = [
        {
            "version": new,
            "differences": differences(old.full_description, new.full_description),
            "first": False,
        }
        for new, old in pairwise(listed)
    ]
    if len(told_of) < len(page):
        told_of.append({"version": listed[-1], "differences": [], "first": True})
    return told_of


def _readings(found: Provider, page: Iterable[DiscoveryRun]) -> list[dict[str, Any]]:
    """The runs with the names of the services that they found changed."""
    actors = {actor_of(run): run for run in page}
    changes = ProviderChange.objects.filter(provider=found, actor__in=actors)
    told_of = {change.actor: _lines(change) for change in changes}
    return [{"run": run, "lines": told_of.get(actor, [])} for actor, run in actors.items()]


def _changes(page: Iterable[ProviderChange]) -> list[dict[str, Any]]:
    """The changes with names of people and of settings."""
    numbers = {number for change in page if (number := number_of(change.actor))}
    people = {one.pk: one.display_name for one in Person.objects.filter(pk__in=numbers)}
    return [
        {
            "at": change.at,
            "what": WHAT.get(change.what, change.what),
            "who": people.get(number_of(change.actor) or 0, _("the portal")),
            "lines": _lines(change),
        }
        for change in page
    ]


def _lines(change: ProviderChange) -> list[tuple[Any, str]]:
    """A change's text, line by line: what it is about, if that is said, and the rest."""
    lines = []
    for line in change.text.splitlines():
        name, colon, rest = line.partition(": ")
        label = WHAT.get(name) or label_of(name)
        named = colon and label and change.what in ("settings", "services")
        lines.append((label, rest) if named else ("", line))
    return lines
