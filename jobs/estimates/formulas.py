"""Quantities from the formulas of a service."""

from __future__ import annotations

import structlog
from django.utils.translation import gettext as _

from accounting.prices.formulas import evaluate, smallest
from accounting.prices.quotes import Quantity
from common.errors import InvalidInput
from jobs import terms
from jobs.estimates.counting import operands
from providers.models import Service
from providers.process import InputValue

log = structlog.get_logger(__name__)


def computed(
    service: Service, inputs: tuple[InputValue, ...], units: frozenset[str]
) -> dict[str, Quantity]:
    """Unit → quantity; a formula that these inputs do not suit is passed over."""
    wanted = {u: f for u, f in terms.formulas(service).items() if u in units}
    if not wanted or service.current is None:
        return {}
    found = {}
    try:
        given = operands(service.current.description, inputs)
        for unit, formula in wanted.items():
            quantity = smallest(unit, evaluate(formula.expression, given))
            basis = _("formula: %(text)s") % {"text": formula.expression}
            found[unit] = Quantity(quantity, basis, "formula")
    except InvalidInput as error:
        log.warning("estimate.formula_failed", service=service.pk, error=error.detail)
    return found
