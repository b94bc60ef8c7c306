"""Which prices hold, and the arithmetic of prices: integers of micro-credits, rounded up per line.

A provider has a list of its own, or the portal's list `default` holds for it. One list at a time:
what an own list does not name is free, and the default list does not fill its gaps. So a job's
prices are those of one version of one list, which never changes. An own list without any rate
means that the provider has no prices of its own (any more): then the default list holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounting.models import PriceList, Rate, Unit
from accounting.models.pricing import SMALLEST
from common.clock import now
from common.prepared import Prepared

DEFAULT = "default"  # the code of the portal's own list
ANY_PROVIDER = 0  # as a provider id, in the default list: the rate holds for every provider
WHOLE_PROVIDER = 0  # as a service id: the rate holds for every service of the provider

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prices:
    """What one service costs at one moment: the list, and its rates for the service by unit."""

    price_list: PriceList | None
    rates: tuple[Rate, ...]

    @property
    def units(self) -> frozenset[str]:
        return frozenset(rate.unit for rate in self.rates)


def price_lines(rates: Iterable[Rate], quantities: Mapping[str, int]) -> tuple[list[Line], int]:
    """Price `quantities` (unit → smallest units): one line per rate, and their total.

    line = ceil(max(0, quantity - free) * price / (unit_size * smallest units per unit)), then at
    least the minimum. A rate whose unit has no quantity gives no line. Pure and exact.
    """
    lines: list[Line] = []
    total = 0
    for rate in rates:
        quantity = quantities.get(rate.unit)
        if quantity is None:
            continue
        amount = _amount(rate, quantity)
        total += amount
        lines.append(
            {
                "unit": str(rate.unit),
                "quantity": str(quantity),  # text: it may exceed the numbers of JSON
                "unit_size": rate.unit_size,
                "price": rate.price,
                "minimum": rate.minimum,
                "free_quantity": rate.free_quantity,
                "amount": amount,
            }
        )
    return lines, total


def code_of(provider_id: int) -> str:
    """The code of a provider's own list."""
    return f"provider:{provider_id}"


def list_in_force(code: str, at: datetime | None = None) -> PriceList | None:
    """The version of a list that holds at a moment (now): the last that began and stands."""
    return _in_force(code, at or now()).first()


def _in_force(code: str, at: datetime) -> QuerySet[PriceList]:
    """The version that holds first, then those before it."""
    return PriceList.objects.filter(
        code=code,
        published_at__isnull=False,
        withdrawn_at__isnull=True,
        effective_from__lte=at,
    ).order_by("-effective_from")


def current_list(provider_id: int, at: datetime | None = None) -> PriceList | None:
    """The prices that hold for a provider at a moment (now): its own list, else the default."""
    return _CURRENT.one(code_of(provider_id), DEFAULT, at or now())


def next_change(provider_id: int, at: datetime) -> datetime | None:
    """When other prices may hold for a provider than at this moment, as far as is published."""
    codes = (code_of(provider_id), DEFAULT)
    later = PriceList.objects.filter(
        code__in=codes, published_at__isnull=False, withdrawn_at__isnull=True, effective_from__gt=at
    )
    return later.aggregate(next=Min("effective_from"))["next"]


def _current(own: str, default: str, at: datetime) -> QuerySet[PriceList]:
    mine, any_ones = (_in_force(code, at).values("pk") for code in (own, default))
    with_rates = PriceList.objects.filter(
        Exists(Rate.objects.filter(price_list=OuterRef("pk"))), pk=Subquery(mine[:1])
    )
    chosen = Coalesce(Subquery(with_rates.values("pk")), Subquery(any_ones[:1]), Subquery(mine[:1]))
    return PriceList.objects.filter(pk=chosen)


_CURRENT = Prepared(_current, *(str, str, datetime))


def rates_for(price_list: PriceList | None, service_id: int, *, provider_id: int) -> list[Rate]:
    """The rates of a list for a service, one per unit: service before provider before list."""
    if price_list is None:
        return []
    return most_specific(_RATES.all(price_list.pk, provider_id, service_id))


# Asked with every run.
_RATES = Prepared(
    lambda price_list, provider, service: Rate.objects.filter(
        price_list=price_list,
        provider_id__in=(ANY_PROVIDER, provider),
        service_id__in=(WHOLE_PROVIDER, service),
    ).order_by(),
    *(int, int, int),
)


def most_specific(rates: Iterable[Rate]) -> list[Rate]:
    """One rate per unit, of those that all hold for one service: the most specific of each."""
    by_unit = {r.unit: r for r in sorted(rates, key=lambda r: (r.provider_id, r.service_id))}
    return sorted(by_unit.values(), key=lambda rate: Unit.values.index(rate.unit))


def prices_for(provider_id: int, service_id: int, at: datetime | None = None) -> Prices:
    """What a quote for this service would be made of at a moment (now)."""
    price_list = current_list(provider_id, at)
    rates = rates_for(price_list, service_id, provider_id=provider_id)
    return Prices(price_list, tuple(rates))


def current_rates(provider_id: int, service_id: int) -> list[Rate]:
    """The rates that a quote for this service would be made of now; none means free."""
    return list(prices_for(provider_id, service_id).rates)


def _amount(rate: Rate, quantity: int) -> int:
    priced = max(0, quantity - rate.free_quantity) * rate.price
    return max(rate.minimum, -(-priced // (rate.unit_size * SMALLEST[rate.unit])))
