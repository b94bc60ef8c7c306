"""How much of each unit a run will use: the quantities that a quote is made of.

For every unit that has a price, the first that knows it: the provider's own quotation, a formula
of the service over the inputs, the service's last runs, what the provider declared, what can be
counted on the inputs.
"""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from accounting.models import Unit
from accounting.models.pricing import MEASURED
from accounting.prices.pricing import Prices
from accounting.prices.quotes import Quantity
from jobs.estimates import counting, formulas, history, quotation
from providers.models import Service
from providers.process import ComplexDomain, InputValue

Quantities = dict[str, Quantity]


def estimate(service: Service, inputs: tuple[InputValue, ...], prices: Prices) -> Quantities:
    """Unit → how much a run of the service with these inputs will use, for every priced unit.

    May ask the provider over the network: not inside a transaction.
    """
    units = prices.units
    found: Quantities = {}
    for step in (_quoted, formulas.computed, history.usual):
        left = units - found.keys()
        if left:
            known = step(service, inputs, left)
            found |= {unit: known[unit] for unit in left & known.keys()}
    left = units - found.keys()
    known = {**counting.counted(inputs, left), **_declared(service, left)}
    return {unit: found.get(unit) or known.get(unit) or _unknown() for unit in units}


def _quoted(service: Service, inputs: tuple[InputValue, ...], units: frozenset[str]) -> Quantities:
    """What the provider says, asked only when something has a price that it could know."""
    return quotation.asked(service, inputs) if units & MEASURED else {}


def _declared(service: Service, units: frozenset[str]) -> Quantities:
    """What the provider declared a run to use at most, and the files that its description lists."""
    wall, cpu = service.expected_wall_seconds, service.expected_cpu_seconds
    outputs = service.current.description.outputs if service.current else ()
    files = sum(isinstance(output.domain, ComplexDomain) for output in outputs)
    at_most = {
        Unit.WALL_HOUR: (wall, noop("at most %(n)s s expected by the provider")),
        Unit.WALL_CORE_HOUR: (wall, noop("at most %(n)s s on one core expected by the provider")),
        Unit.CPU_CORE_HOUR: (cpu, noop("at most %(n)s s of CPU expected by the provider")),
        Unit.PRODUCT_OUT: (files, noop("%(n)s in the description of the service")),
    }
    return {
        unit: Quantity(n, _(text) % {"n": n}, "declared")
        for unit, (n, text) in at_most.items()
        if unit in units
    }


def _unknown() -> Quantity:
    return Quantity(0, _("not known before the run"), "flat")
