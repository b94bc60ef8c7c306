"""The price of a job's usage: its records against the prices that were promised to it."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from accounting.models import JobBill, Rate, RecordState, Unit, UsageRecord
from accounting.models.ledger import MOST
from accounting.pricing import Line, price_lines, rates_for

# What a usage record tells; all other units stay as they were quoted from the inputs.
MEASURED = (Unit.CPU_CORE_HOUR, Unit.WALL_HOUR, Unit.WALL_CORE_HOUR)


class Rates:
    """The rates of price lists per service, each read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int | None, int], list[Rate]] = {}

    def of(self, bill: JobBill) -> list[Rate]:
        key = (bill.price_list_id, bill.service_id)
        if key not in self._known:
            self._known[key] = rates_for(bill.price_list, bill.service_id)
        return self._known[key]


def counts(record: UsageRecord) -> bool:
    """Whether a record is part of what its job used."""
    return record.state != RecordState.HELD_BACK


def rate_usage(bill: JobBill, records: Sequence[UsageRecord], rates: Rates) -> None:
    """Price the job's usage as a whole; a record costs what it adds to those before it.

    So a flat price, a minimum and a free quantity count once per job however many records (steps)
    it has, and the costs of the records add up to `used`.
    """
    quoted = {
        line["unit"]: int(line["quantity"])
        for line in bill.quote.lines
        if line["unit"] not in MEASURED
    }
    taken = dict.fromkeys(map(str, MEASURED), 0)
    before: list[Line] = []
    bill.used = 0
    for record in records:
        if not counts(record):
            continue
        own = measured(record)
        so_far = {unit: taken[unit] + own[unit] for unit in own}
        lines, total = price_lines(rates.of(bill), quoted | so_far)
        if total > MOST:
            record.state = RecordState.HELD_BACK
            record.note = _("Costs more than any account can hold: implausible.")
            record.cost, record.lines = None, []
            continue
        record.cost = total - bill.used
        record.lines = _added(lines, before, own) if before else lines
        taken, before, bill.used = so_far, lines, total


def measured(record: UsageRecord) -> dict[str, int]:
    """Seconds per measured unit; an unknown number of processors counts as one."""
    wall = record.wall_seconds or 0
    return {
        Unit.CPU_CORE_HOUR: record.cpu_seconds or 0,
        Unit.WALL_HOUR: wall,
        Unit.WALL_CORE_HOUR: wall * (record.processors or 1),
    }


def _added(lines: list[Line], before: list[Line], own: dict[str, int]) -> list[Line]:
    """The lines of a further record: its own quantities, and what they add to the amounts."""
    return [
        {**line, "quantity": str(own[line["unit"]]), "amount": line["amount"] - past["amount"]}
        for line, past in zip(lines, before, strict=True)
        if line["unit"] in own
    ]
