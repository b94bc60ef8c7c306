"""Thematic applications: the list, and the workspace with its map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounting.models import Rate
from jobs.selectors import JobFilter, jobs_of
from portal.pages.documents import FORMS, documents_of
from portal.pages.prices import rates_by_service
from portal.pages.scenes import area_layer, entry_address, layers_of_items, quicklook
from portal.pages.viewers import viewer_buttons
from portal.prose import prose
from providers.models import Service
from thematic_apps.access import app_for, usable_services, visible_apps
from thematic_apps.models import ThematicApp
from thematic_apps.selectors import scenes_of

if TYPE_CHECKING:
    from people.models import User

RECENT_JOBS = 6


@dataclass(frozen=True, slots=True)
class Card:
    """An application in a list. The numbers place its area on a world map of 360 × 180."""

    app: ThematicApp
    services: int

    @property
    def left(self) -> float:
        return self.app.west + 180

    @property
    def top(self) -> float:
        return 90 - self.app.north

    @property
    def width(self) -> float:
        return max((self.app.east - self.app.west) % 360 or 360, 1)

    @property
    def height(self) -> float:
        return max(self.app.north - self.app.south, 1)

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class Offer:
    """A service beside the map with what it costs."""

    service: Service
    rates: list[Rate]


def cards_of(user: User) -> list[Card]:
    """The applications that the user may open."""
    usable = usable_services(user).values("pk")
    counted = visible_apps(user).annotate(
        usable=Count("services", filter=Q(services__in=usable), distinct=True)
    )
    return [Card(app, app.usable) for app in counted]


@login_required
@require_safe
def apps(request: HttpRequest) -> HttpResponse:
    """The applications that the user may open."""
    return render(request, "apps/list.html", {"cards": cards_of(cast("User", request.user))})


@require_safe
def app(request: HttpRequest, slug: str) -> HttpResponse:
    """The workspace; for programs that ask for one the OWS Context document."""
    wanted = request.get_preferred_type(["text/html", *FORMS])
    if wanted in FORMS:
        response: HttpResponse = redirect("owc_application", slug=slug, form=FORMS[wanted])
    else:
        response = _workspace(request, slug)
    patch_vary_headers(response, ("Accept",))
    return response


@login_required
def _workspace(request: HttpRequest, slug: str) -> HttpResponse:
    """Map, services with prices, scenes, own jobs."""
    user = cast("User", request.user)
    found = app_for(user, slug)
    text = request.GET.get("text", "").strip()[:200]
    services = usable_services(user, found)
    if text:
        words = Q(title__icontains=text) | Q(abstract__icontains=text)
        services = services.filter(words | Q(provider__name__icontains=text))
    offered = list(services.order_by("title"))
    rates = rates_by_service(offered)
    scenes = scenes_of(user, found)
    recent = list(jobs_of(user, JobFilter(own=True)).filter(application=found)[:RECENT_JOBS])
    context = {
        "app": found,
        "text": text,
        "offers": [Offer(service, rates[service.pk]) for service in offered],
        "scenes": [(item, entry_address(item), quicklook(item)) for item in scenes],
        "views": viewer_buttons(user, scenes, brief=True),
        "layers": [area_layer(found), *layers_of_items(scenes)],
        "jobs": recent,
        "live": any(not job.final for job in recent),
        "help": prose(found.help_text),
        "links": documents_of(f"apps/{found.slug}"),
    }
    return render(request, "apps/app.html", context)
