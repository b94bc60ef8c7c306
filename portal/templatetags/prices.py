"""Filters that put rates and price lines into words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from accounting.models import Rate, Unit
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
def quantity(line: Mapping[str, Any]) -> str:
    """How much of a unit a price line counts."""
    unit, amount = Unit(line["unit"]), int(line["quantity"])
    if unit == Unit.JOB:
        return _("One run") if amount == 1 else _("%(n)s runs") % {"n": amount}
    if unit in _TIME:
        return _("%(n)s s of %(what)s") % {"n": amount, "what": _time_word(unit)}
    number = Decimal(amount) / SMALLEST[unit]
    text = f"{number:.2f}".rstrip("0").rstrip(".")
    return f"{text} {unit.label}"


@register.filter
def released(cost: JobCost) -> int:
    """Micro-credits of a job's hold that went back to the account."""
    bill = cost.bill
    return bill.hold.amount - bill.charged if bill is not None and bill.hold is not None else 0


def _time_word(unit: Unit) -> str:
    words = {Unit.WALL_HOUR: _("run time"), Unit.WALL_CORE_HOUR: _("core time")}
    return words.get(unit, _("CPU time"))


def _parts(line: Rate | Mapping[str, Any]) -> tuple[str, int, int]:
    if isinstance(line, Rate):
        return line.unit, line.unit_size, line.price
    return line["unit"], int(line.get("unit_size", 1)), int(line["price"])
