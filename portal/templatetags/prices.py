"""Filters that put rates and price lines into words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from accounting.models import Phase, Rate, Unit
from accounting.models.pricing import SMALLEST
from accounting.selectors import JobCost
from common.money import show

register = template.Library()

_TIME = frozenset({Unit.WALL_HOUR, Unit.WALL_CORE_HOUR, Unit.CPU_CORE_HOUR})


@register.filter
def rate(line: Rate | Mapping[str, Any]) -> str:
    """A rate, or that of a price line: “0.50 CRD per 10 km²”."""
    unit, size, price = _parts(line)
    if unit == Unit.JOB:
        return _("%(price)s CRD per job") % {"price": show(price)}
    label = Unit(unit).label
    per = label if size == 1 else f"{size} {label}"
    return _("%(price)s CRD per %(per)s") % {"price": show(price), "per": per}


@register.filter
def terms(one: Rate) -> str:
    """What else belongs to a rate: “at least 0.10 CRD, the first 2 free”."""
    said = []
    if one.minimum:
        said.append(_("at least %(n)s CRD") % {"n": show(one.minimum)})
    if one.free_quantity:
        seconds = _("%(n)s s") % {"n": one.free_quantity}
        free = seconds if one.unit in _TIME else _number(one.free_quantity, one.unit)
        said.append(_("the first %(n)s free") % {"n": free})
    return ", ".join(said)


@register.filter
def state_word(state: str) -> str:
    """The state of a version of a price list."""
    words = {
        "in force": _("in force"),
        "scheduled": _("scheduled"),
        "withdrawn": _("withdrawn"),
        "past": _("past"),
    }
    return words[state]


@register.filter
def source_word(source: str) -> str:
    """Where the quantities of a quote come from."""
    words = {
        "provider": _("quoted by the provider"),
        "formula": _("computed from your inputs"),
        "history": _("estimated from the last runs"),
        "declared": _("as the provider expects it at most"),
        "inputs": _("counted on your inputs"),
    }
    return words.get(source, _("a fixed price"))


@register.filter
def quantity(line: Mapping[str, Any]) -> str:
    """How much of a unit a price line counts."""
    unit, amount = Unit(line["unit"]), int(line["quantity"])
    if unit == Unit.JOB:
        return _("One run") if amount == 1 else _("%(n)s runs") % {"n": amount}
    if unit in _TIME:
        return _("%(n)s s of %(what)s") % {"n": amount, "what": _time_word(unit)}
    return f"{_number(amount, unit)} {unit.label}"


@register.filter
def released(cost: JobCost) -> int:
    """Micro-credits of a job's hold that went back to the account, as the ledger has it."""
    hold = cost.bill.hold if cost.bill is not None else None
    ends = [t for t in cost.transfers if hold is not None and t.pending_id == hold.pk]
    if hold is None or not ends:
        return 0
    return hold.amount - (ends[0].amount if ends[0].phase == Phase.POST else 0)


def _number(amount: int, unit: str) -> str:
    """Smallest units as a number of units; what is not nothing does not look like it."""
    number = Decimal(amount) / SMALLEST[unit]
    places = 2 if not number or number >= Decimal("0.01") else 2 - number.adjusted()
    text = f"{number:.{places}f}"
    return text.rstrip("0").rstrip(".")


def _time_word(unit: Unit) -> str:
    words = {Unit.WALL_HOUR: _("run time"), Unit.WALL_CORE_HOUR: _("core time")}
    return words.get(unit, _("CPU time"))


def _parts(line: Rate | Mapping[str, Any]) -> tuple[str, int, int]:
    if isinstance(line, Rate):
        return line.unit, line.unit_size, line.price
    return line["unit"], int(line.get("unit_size", 1)), int(line["price"])
