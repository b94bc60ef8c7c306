"""What services cost, for lists: few queries for any number of services."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from accounting.models import PriceList, Rate
from accounting.prices.pricing import ANY_PROVIDER, DEFAULT, WHOLE_PROVIDER, code_of, most_specific
from common.clock import now
from providers.models import Service


def rates_by_service(services: Iterable[Service]) -> dict[int, list[Rate]]:
    """The rates of each service that hold now; none means free of charge."""
    wanted = list(services)
    in_force = _lists_in_force({code_of(service.provider_id) for service in wanted} | {DEFAULT})
    rates: dict[str, list[Rate]] = defaultdict(list)
    by_id = {pk: code for code, pk in in_force.items()}
    for rate in Rate.objects.filter(price_list__in=by_id):
        rates[by_id[rate.price_list_id]].append(rate)
    return {
        service.pk: _of(service, rates[code_of(service.provider_id)] or rates[DEFAULT])
        for service in wanted
    }


def _lists_in_force(codes: set[str]) -> dict[str, int]:
    began = PriceList.objects.filter(
        code__in=codes,
        published_at__isnull=False,
        withdrawn_at__isnull=True,
        effective_from__lte=now(),
    )
    return dict(began.order_by("effective_from").values_list("code", "pk"))


def _of(service: Service, rates: Iterable[Rate]) -> list[Rate]:
    return most_specific(
        rate
        for rate in rates
        if rate.provider_id in (ANY_PROVIDER, service.provider_id)
        and rate.service_id in (WHOLE_PROVIDER, service.pk)
    )
