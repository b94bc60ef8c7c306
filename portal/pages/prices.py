"""What services cost, for lists: few queries for any number of services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from accounting.models import PriceList, Rate, Unit
from accounting.pricing import WHOLE_PROVIDER
from providers.models import Service


def rates_by_service(services: Iterable[Service]) -> dict[int, list[Rate]]:
    """The rates of each service that hold now; none means free of charge."""
    wanted = list(services)
    codes = {f"provider:{service.provider_id}": service.provider_id for service in wanted}
    newest: dict[int, int] = {}
    published = PriceList.objects.filter(code__in=codes, published_at__isnull=False)
    for price_list in published.order_by("version"):
        newest[codes[price_list.code]] = price_list.pk
    rates: dict[tuple[int, int], list[Rate]] = defaultdict(list)
    for rate in Rate.objects.filter(price_list__in=newest.values()):
        rates[rate.provider_id, rate.service_id].append(rate)
    return {service.pk: _specific(rates, service) for service in wanted}


def _specific(rates: dict[tuple[int, int], list[Rate]], service: Service) -> list[Rate]:
    """One rate per unit: the service's own before the whole provider's."""
    general = rates.get((service.provider_id, WHOLE_PROVIDER), [])
    own = rates.get((service.provider_id, service.pk), [])
    by_unit = {rate.unit: rate for rate in (*general, *own)}
    return sorted(by_unit.values(), key=lambda rate: Unit.values.index(rate.unit))
