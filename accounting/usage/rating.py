"""The price of usage: records against the prices that were promised, or that held at their end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Protocol

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounting.models import PriceList, Rate, Unit, UsageBill
from accounting.models.ledger import MOST
from accounting.models.pricing import MEASURED as MEASURED_UNITS
from accounting.prices.pricing import (
    DEFAULT,
    WHOLE_PROVIDER,
    Line,
    Prices,
    code_of,
    price_lines,
    prices_for,
    rates_for,
)
from accounting.usage.rows import HELD_BACK, Row

# Plain text, as the keys of quantities are.
MEASURED = frozenset(unit.value for unit in MEASURED_UNITS)
PRODUCT_OUT = Unit.PRODUCT_OUT.value
NO_PRICES = gettext_noop("No prices held at that time.")


class Rates:
    """The rates of price lists per service, each read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int | None, int, int], list[Rate]] = {}

    def of(self, bill: Rated) -> list[Rate]:
        key = (bill.price_list_id, bill.service_id, bill.provider_id)
        if key not in self._known:
            promised = PriceList.objects.filter(pk=bill.price_list_id or 0).first()
            self._known[key] = rates_for(promised, bill.service_id, provider_id=bill.provider_id)
        return self._known[key]


class PricesOverTime:
    """The prices of providers for usage without a job, at any moment; each list is read once."""

    def __init__(self) -> None:
        self._changes: dict[int, list[datetime]] = {}
        self._known: dict[tuple[int, int], Prices] = {}
        self._kept: dict[tuple[int, int], Prices] = {}

    def of(self, bill: UsageBill, moment: datetime) -> Prices:
        """Those that a bill had first; of a new bill, those at the moment.

        The records of a month are measured again and again: what was used at one price must not
        cost another because the newest measurement is of a later day.
        """
        if bill.price_list_id is None:
            return self.at(bill.provider_id, moment)
        key = (bill.provider_id, bill.price_list_id)
        if key not in self._kept:
            kept = PriceList.objects.get(pk=bill.price_list_id)
            rates = rates_for(kept, WHOLE_PROVIDER, provider_id=bill.provider_id)
            self._kept[key] = Prices(kept, tuple(rates))
        return self._kept[key]

    def at(self, provider_id: int, moment: datetime) -> Prices:
        if provider_id not in self._changes:
            lists = PriceList.objects.filter(code__in=(code_of(provider_id), DEFAULT))
            moments = lists.order_by("effective_from").values_list("effective_from", flat=True)
            self._changes[provider_id] = list(moments)
        key = (provider_id, bisect_right(self._changes[provider_id], moment))
        if key not in self._known:
            self._known[key] = prices_for(provider_id, WHOLE_PROVIDER, moment)
        return self._known[key]


def counts(row: Row) -> bool:
    """Whether a record is part of what its job used."""
    return row.chargeable and row.state != HELD_BACK


class Rated(Protocol):
    """What the price of a job's usage depends on, and comes to."""

    provider_id: int
    service_id: int
    price_list_id: int | None
    products_out: int | None
    quoted: str  # the lines of the quote, as JSON
    rows: list[Row]
    used: int


def rate_usage(bill: Rated, rates: Rates) -> None:
    """Price the job's usage as a whole; a record costs what it adds to those before it.

    So a flat price, a minimum and a free quantity count once per job however many records (steps)
    it has, and the costs of the records add up to `used`. What no record measures (`quoted` lines
    of other units) is as it was known from the request, and results as many as there were.
    """
    taken = _known_before(bill.quoted)
    if bill.products_out is not None:
        taken = {**taken, PRODUCT_OUT: bill.products_out}
    before: list[Line] = []
    bill.used = 0
    for row in bill.rows:
        if not counts(row):
            row.cost, row.lines = None, []
            continue
        so_far = _together(taken, row.quantities)
        lines, total = price_lines(rates.of(bill), so_far)
        if total > MOST:
            hold_back_implausible(row)
            continue
        row.cost = total - bill.used
        row.lines = _added(lines, before, row.quantities) if before else lines
        taken, before, bill.used = so_far, lines, total


@lru_cache(maxsize=256)
def _known_before(quoted: str) -> Mapping[str, int]:
    """The quantities of a quote that no record measures; many jobs are quoted the same."""
    lines = orjson.loads(quoted)
    return {line["unit"]: int(line["quantity"]) for line in lines if line["unit"] not in MEASURED}


def hold_back_implausible(row: Row) -> None:
    """No account can hold that much: somebody has to look at it."""
    row.state, row.cost, row.lines = HELD_BACK, None, []
    row.note = _("Costs more than any account can hold: implausible.")


def _together(taken: Mapping[str, int], measured: Mapping[str, int]) -> dict[str, int]:
    so_far = dict(taken)
    for unit, quantity in measured.items():
        if unit in MEASURED:
            so_far[unit] = so_far.get(unit, 0) + quantity
    return so_far


def _added(lines: list[Line], before: list[Line], own: Mapping[str, int]) -> list[Line]:
    """The lines of a further record: its own quantities, and what they add to the amounts."""
    past = {line["unit"]: int(line["amount"]) for line in before}
    return [
        {**line, "quantity": str(own[unit]), "amount": line["amount"] - past.get(unit, 0)}
        for line in lines
        if (unit := line["unit"]) in own
    ]
