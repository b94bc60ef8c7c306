"""Prices and expected use of a provider's services, as its owner edits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounting.models import Rate, Unit
from accounting.pricing import RateSpec, current_list, publish_rates
from common import money
from common.errors import InvalidInput
from portal.pages.feedback import told
from providers import services
from providers.access import provider_for
from providers.models import Provider, Service

if TYPE_CHECKING:
    from people.models import User

MOST_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Price:
    """What is asked for one unit; empty text when it is not priced."""

    unit: Unit
    text: str


@dataclass(frozen=True, slots=True)
class ServiceRates:
    """A service with the price of every unit, for its form."""

    service: Service
    prices: list[Price]

    @property
    def priced(self) -> list[Price]:
        return [price for price in self.prices if price.text]


def editable_rates(provider: Provider, offered: Sequence[Service]) -> dict[int, list[Price]]:
    """By service: every unit with its price now."""
    by_place = {(rate.service_id, rate.unit): rate.price for rate in _rates(provider)}
    return {
        service.pk: [
            Price(
                unit,
                money.show(by_place[service.pk, unit]) if (service.pk, unit) in by_place else "",
            )
            for unit in Unit
        ]
        for service in offered
    }


@login_required
@require_POST
def set_rates(request: HttpRequest, slug: str, service_id: int) -> HttpResponse:
    """Publish new prices of one service and set what a run is expected to use at most."""
    user = cast("User", request.user)
    provider = provider_for(user, slug, "manage")
    service = get_object_or_404(Service, pk=service_id, provider=provider)
    with told(request, _("Prices of “%(name)s” are published.") % {"name": service.title}):
        wall, cpu = _seconds(request, "wall"), _seconds(request, "cpu")
        rates = _changed(provider, service, request)
        services.set_expected_use(actor=user, service=service, wall_seconds=wall, cpu_seconds=cpu)
        publish_rates(actor=user, provider_id=provider.pk, rates=rates)
    return redirect(f"{request.path.rsplit('/services/', 1)[0]}/#service-{service.pk}")


def _changed(
    provider: Provider, service: Service, request: HttpRequest
) -> dict[tuple[int, str], RateSpec]:
    """All prices of the provider with those of one service replaced by what was posted."""
    specs = {
        (rate.service_id, rate.unit): RateSpec(
            price=rate.price,
            unit_size=rate.unit_size,
            minimum=rate.minimum,
            free_quantity=rate.free_quantity,
        )
        for rate in _rates(provider)
    }
    for unit in Unit:
        text = request.POST.get(f"price-{unit}", "").strip().replace(",", ".")
        place = (service.pk, str(unit))
        before = specs.pop(place, None)
        if not text:
            continue
        price = money.micro(text)
        if price < 0:
            raise InvalidInput(_("A price cannot be negative."))
        # What this form does not show stays as it was.
        specs[place] = before if before is not None and before.price == price else RateSpec(price)
    return specs


def _rates(provider: Provider) -> list[Rate]:
    price_list = current_list(provider.pk)
    return list(price_list.rates.all()) if price_list is not None else []


def _seconds(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and 0 < int(text[:12]) <= MOST_SECONDS):
        raise InvalidInput(_("Expected use is a whole number of seconds, at least 1."))
    return int(text)
