"""How the cost of a service is estimated: what a run uses at most, and formulas over its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounting.models import Unit
from accounting.prices.formulas import LONGEST, current_formulas, function_names, set_formula
from accounting.prices.pricing import current_rates
from common.errors import InvalidInput
from jobs.estimates.counting import samples
from jobs.estimates.history import runs_known
from portal.pages.feedback import told
from providers import services
from providers.access import provider_for
from providers.models import Service

if TYPE_CHECKING:
    from people.models import User

MOST_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class FormulaRow:
    """A unit with its formula; `priced` when the service has a price for it now."""

    unit: Unit
    expression: str
    priced: bool


@login_required
@require_http_methods(["GET", "POST"])
def estimate(request: HttpRequest, slug: str, service_id: int) -> HttpResponse:
    """The sources of a service's quotes; POST changes one of them (`action`)."""
    user = cast("User", request.user)
    provider = provider_for(user, slug, "manage")
    mine = Service.objects.select_related("provider", "current")
    service = get_object_or_404(mine, pk=service_id, provider=provider)
    if request.method == "POST":
        _change(request, user, service)
        return redirect(request.path)
    context = {
        "provider": provider,
        "service": service,
        "rows": _rows(service),
        "units": Unit.choices,
        "functions": sorted(function_names()),
        "inputs": sorted(samples(service.current.description)) if service.current else [],
        "longest": LONGEST,
        "runs": runs_known(service),
    }
    return render(request, "prices/estimate.html", context)


def _change(request: HttpRequest, user: User, service: Service) -> None:
    action = request.POST.get("action", "")
    with told(request, _("Saved. New quotes are made with it.")):
        if action == "expected":
            wall, cpu = _seconds(request, "wall"), _seconds(request, "cpu")
            services.set_expected_use(
                actor=user, service=service, wall_seconds=wall, cpu_seconds=cpu
            )
        elif action == "formula" and service.current is not None:
            set_formula(
                actor=user,
                service_id=service.pk,
                unit=request.POST.get("unit", ""),
                expression=request.POST.get("expression", ""),
                samples=samples(service.current.description),
            )
        elif action == "quotable":
            services.set_quotable(actor=user, service=service)
        else:
            raise InvalidInput(_("There is nothing to save."))


def _rows(service: Service) -> list[FormulaRow]:
    """What has a price or a formula."""
    formulas = current_formulas(service.pk)
    priced = {rate.unit for rate in current_rates(service.provider_id, service.pk)}
    return [
        FormulaRow(unit, formulas[unit].expression if unit in formulas else "", unit in priced)
        for unit in Unit
        if unit in formulas or unit in priced
    ]


def _seconds(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text[:12]) <= MOST_SECONDS):
        raise InvalidInput(_("Expected use is a whole number of seconds, at least 1."))
    return int(text)
