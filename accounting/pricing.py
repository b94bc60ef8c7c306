"""Price lists and the arithmetic of prices: integers of micro-credits, rounded up once per line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounting.models import PriceList, Rate, Unit
from accounting.models.ledger import MOST
from accounting.models.pricing import SMALLEST
from common.clock import now
from common.errors import Conflict, InvalidInput
from people.models import User

WHOLE_PROVIDER = 0  # as a service id: the rate holds for every service of the provider

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RateSpec:
    """A price to publish: micro-credits per `unit_size` units.

    `minimum` is the least a line costs; `free_quantity` counts the smallest units (seconds, m²).
    """

    price: int
    unit_size: int = 1
    minimum: int = 0
    free_quantity: int = 0


def price_lines(rates: Iterable[Rate], quantities: Mapping[str, int]) -> tuple[list[Line], int]:
    """Price `quantities` (unit → smallest units): one line per rate, and their total.

    line = ceil(max(0, quantity - free) * price / (unit_size * smallest units per unit)), then at
    least the minimum. A rate whose unit has no quantity gives no line. Pure and exact.
    """
    lines: list[Line] = []
    for rate in rates:
        if rate.unit not in quantities:
            continue
        quantity = quantities[rate.unit]
        lines.append(
            {
                "unit": str(rate.unit),
                "quantity": str(quantity),  # text: it may exceed the numbers of JSON
                "unit_size": rate.unit_size,
                "price": rate.price,
                "minimum": rate.minimum,
                "free_quantity": rate.free_quantity,
                "amount": _amount(rate, quantity),
            }
        )
    return lines, sum(int(line["amount"]) for line in lines)


def current_list(provider_id: int) -> PriceList | None:
    """The prices of a provider that hold now."""
    published = PriceList.objects.filter(code=_code(provider_id), published_at__isnull=False)
    return published.order_by("-version").first()


def rates_for(price_list: PriceList | None, service_id: int) -> list[Rate]:
    """The rates of a list for a service, one per unit: its own before the whole provider's."""
    if price_list is None:
        return []
    rows = Rate.objects.filter(price_list=price_list, service_id__in=(WHOLE_PROVIDER, service_id))
    by_unit = {rate.unit: rate for rate in rows.order_by("service_id")}
    return sorted(by_unit.values(), key=lambda rate: Unit.values.index(rate.unit))


def current_rates(provider_id: int, service_id: int) -> list[Rate]:
    """The rates that a quote for this service would be made of now; none means free."""
    return rates_for(current_list(provider_id), service_id)


def publish_rates(
    *, actor: User | str, provider_id: int, rates: Mapping[tuple[int, str], RateSpec]
) -> PriceList:
    """Publish all prices of a provider, by (service id or WHOLE_PROVIDER, unit), effective at once.

    What is not in `rates` has no price any more. Jobs and quotes keep the prices they were given.
    The same prices again change nothing. Raises InvalidInput with every wrong rate, Conflict when
    somebody else published at the same moment.
    """
    _check(rates)
    name = actor if isinstance(actor, str) else f"user:{actor.pk}"
    try:
        with transaction.atomic():
            last = current_list(provider_id)
            if last is not None and _same_rates(last, rates):
                return last
            return _publish(provider_id, last, rates, name)
    except IntegrityError as error:  # the version number was taken meanwhile
        raise Conflict(
            _("The prices were changed at the same moment. Look at them again.")
        ) from error


def _publish(
    provider_id: int, last: PriceList | None, rates: Mapping[tuple[int, str], RateSpec], actor: str
) -> PriceList:
    moment = now()
    if last is not None and last.effective_from >= moment:
        moment = last.effective_from + timedelta(microseconds=1)  # two versions in one instant
    price_list = PriceList.objects.create(
        code=_code(provider_id),
        version=last.version + 1 if last is not None else 1,
        effective_from=moment,
        created_by=actor,
    )
    Rate.objects.bulk_create(
        Rate(
            price_list=price_list,
            provider_id=provider_id,
            service_id=service_id,
            unit=unit,
            unit_size=spec.unit_size,
            price=spec.price,
            minimum=spec.minimum,
            free_quantity=spec.free_quantity,
        )
        for (service_id, unit), spec in rates.items()
    )
    price_list.published_at = moment  # from here on the database keeps list and rates as they are
    price_list.save(update_fields=("published_at",))
    return price_list


def _amount(rate: Rate, quantity: int) -> int:
    priced = max(0, quantity - rate.free_quantity) * rate.price
    return max(rate.minimum, -(-priced // (rate.unit_size * SMALLEST[rate.unit])))


def _code(provider_id: int) -> str:
    return f"provider:{provider_id}"


def _same_rates(last: PriceList, rates: Mapping[tuple[int, str], RateSpec]) -> bool:
    published = {
        (r.service_id, r.unit): RateSpec(r.price, r.unit_size, r.minimum, r.free_quantity)
        for r in last.rates.all()
    }
    return published == {(s, str(u)): spec for (s, u), spec in rates.items()}


def _check(rates: Mapping[tuple[int, str], RateSpec]) -> None:
    errors: dict[str, list[str]] = {}
    for (service_id, unit), spec in rates.items():
        wrong = []
        if unit not in Unit.values:
            wrong.append(_("There is no such unit."))
        if service_id < 0:
            wrong.append(_("There is no such service."))
        if not 1 <= spec.unit_size <= MOST:
            wrong.append(_("The price must be for at least one unit."))
        if not all(0 <= v <= MOST for v in (spec.price, spec.minimum, spec.free_quantity)):
            wrong.append(_("Prices and free quantities must not be negative or above the limit."))
        if wrong:
            errors[f"{service_id}/{unit}"] = wrong
    if errors:
        raise InvalidInput(_("Some prices are wrong."), locator="rates", errors=errors)
