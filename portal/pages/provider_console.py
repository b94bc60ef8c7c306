"""The console of a provider's owner: how it is, what it offers, what waits for a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounting.models import DisputeState
from accounting.requests.disputes import disputes_with
from common.clock import now
from jobs import provider_work
from people.access import is_operator
from portal.pages.feedback import told
from portal.pages.paging import page_of
from portal.pages.prices import rates_by_service
from portal.pages.providers import BADGES
from portal.pages.usage import usage_of
from providers import health, maintenance, services
from providers.access import provider_for
from providers.models import HealthDay, Provider, ProviderState, Service
from providers.pace import keep_pace
from providers.selectors import discovery_runs, services_of
from providers.trials import try_provider

if TYPE_CHECKING:
    from people.models import User

DAYS = 90
LISTED_DAYS = 14
GOOD_PERCENT = 99


@dataclass(frozen=True, slots=True)
class Cell:
    """A day in the picture of health; `look` is one of good, some, bad, none.

    The bars differ in height too, for who cannot tell the colours apart.
    """

    day: date
    x: int
    look: str

    @property
    def height(self) -> int:
        return {"good": 10, "some": 7, "bad": 4}.get(self.look, 2)

    @property
    def y(self) -> int:
        return 10 - self.height


@login_required
@require_safe
def provider(request: HttpRequest, slug: str) -> HttpResponse:
    """Its state, health, services and usage."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    wanted = request.GET.get("q", "").strip()[:100]
    page = page_of(request, _matching(found, wanted))
    rates = rates_by_service(list(page))
    days = list(health.days_of(found, DAYS))
    context = frame(user, found) | {
        "tab": "overview",
        "last": next(iter(discovery_runs(found, limit=1)), None),
        "page": page,
        "wanted": wanted,
        "offers": [{"service": service, "rates": rates[service.pk]} for service in page],
        "usage": usage_of(found),
        "uptimes": health.uptimes([found])[found.pk],
        "cells": _cells(days),
        "days": days[:LISTED_DAYS],
        "windows": maintenance.not_over(found)[:3],
    }
    return render(request, "providers/provider.html", context)


def frame(user: User, found: Provider) -> dict[str, Any]:
    """What the head of each of the console's pages shows."""
    return {
        "provider": found,
        "badge": BADGES[ProviderState(found.state)],
        "reading": provider_work.reading(found),
        "window": maintenance.open_window(found),
        "open_disputes": disputes_with(found.pk).filter(state=DisputeState.OPEN).count(),
        "operator": is_operator(user),
    }


@login_required
@require_safe
def reading(request: HttpRequest, slug: str) -> HttpResponse:
    """Whether its services are being read: the page asks again and again, and is loaded anew when
    that is done."""
    found = provider_for(cast("User", request.user), slug, "manage")
    state = provider_work.reading(found)
    if not state:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "providers/reading.html", {"provider": found, "reading": state})


@login_required
@require_POST
def act(request: HttpRequest, slug: str) -> HttpResponse:
    """Read its services, try the connection; operators approve and suspend, with a note."""
    user = cast("User", request.user)
    found = provider_for(user, slug, "manage")
    action, note = request.POST.get("action", ""), request.POST.get("note", "")
    if action == "approve":
        with told(request, _("The provider is approved; its switched-on services can be run.")):
            services.approve_provider(actor=user, provider=found, note=note)
    elif action == "suspend":
        with told(request, _("The provider is suspended; running jobs go on.")):
            services.suspend_provider(actor=user, provider=found, note=note)
    elif action == "test":
        with told(request) as said:
            said.append(_trial_words(user, found))
    else:
        with told(request, _("Its services are read as soon as a worker is free.")):
            keep_pace(user, "read")
            provider_work.read_soon(found)
    return redirect("pages:provider", slug=slug)


@login_required
@require_POST
def switch(request: HttpRequest, slug: str, service_id: int) -> HttpResponse:
    """Switch a service on or off."""
    user = cast("User", request.user)
    found = get_object_or_404(
        Service.objects.select_related("provider"),
        pk=service_id,
        provider=provider_for(user, slug, "manage"),
    )
    on = request.POST.get("enabled") == "true"
    done = _("“%(name)s” is switched on.") if on else _("“%(name)s” is switched off.")
    with told(request, done % {"name": found.title}):
        services.set_service_enabled(actor=user, service=found, enabled=on)
    page = request.POST.get("page", "")
    query = f"?page={page}" if page.isdecimal() and page.isascii() and page != "1" else ""
    return redirect(f"{reverse('pages:provider', args=[slug])}{query}#service-{found.pk}")


def _matching(found: Provider, wanted: str) -> Any:
    offered = services_of(found)
    if not wanted or "\x00" in wanted:
        return offered
    return offered.filter(Q(title__icontains=wanted) | Q(identifier__icontains=wanted))


def _trial_words(user: User, found: Provider) -> str:
    trial = try_provider(actor=user, provider=found)
    words = ngettext(
        "It answers: %(count)d process, in %(ms)d ms.",
        "It answers: %(count)d processes, in %(ms)d ms.",
        trial.processes,
    )
    return words % {"count": trial.processes, "ms": trial.milliseconds}


def _cells(days: list[HealthDay]) -> list[Cell]:
    """A cell for each of the last DAYS, the oldest first."""
    known = {one.day: one for one in days}
    first = now().date() - timedelta(days=DAYS - 1)
    dates = (first + timedelta(days=n) for n in range(DAYS))
    return [Cell(day, x, _look(known.get(day))) for x, day in enumerate(dates)]


def _look(day: HealthDay | None) -> str:
    if day is None or not day.probes:
        return "none"
    percent = 100 * day.answered / day.probes
    if percent >= GOOD_PERCENT:
        return "good"
    return "some" if day.answered else "bad"
