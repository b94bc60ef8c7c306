"""Quantities from the provider itself, asked before anything is run."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from threading import BoundedSemaphore

import structlog
from django.utils.translation import gettext as _

from accounting.prices.quotes import Quantity
from accounting.usage.forms.tep import measured
from common.errors import PortalError
from providers.models import Service
from providers.ports import QuotingDriver, RemoteQuote
from providers.process import ExecuteRequest, InputValue
from providers.registry import driver_for
from providers.services import note_not_quotable

log = structlog.get_logger(__name__)

# A provider that keeps everybody waiting must not occupy all threads of the web server.
MOST_ASKING = 8
_asking = BoundedSemaphore(MOST_ASKING)


def asked(service: Service, inputs: tuple[InputValue, ...]) -> dict[str, Quantity]:
    """Unit → what the provider expects; nothing when it cannot or does not say.

    A provider that runs the process instead is not asked again about it.
    """
    driver = driver_for(service.provider)
    if service.current is None or service.unquotable_since is not None:
        return {}
    process = service.current.full_description
    if not isinstance(driver, QuotingDriver) or not driver.can_quote(process):
        return {}
    if not _asking.acquire(blocking=False):
        return {}
    try:
        request = ExecuteRequest(service.identifier, inputs)
        quote = driver.quote(service.provider.endpoint(), process, request)
    except PortalError as error:
        log.info("estimate.not_quoted", service=service.pk, error=error.code, text=error.detail)
        if error.data.get("ignored"):
            note_not_quotable(service=service, reason=error.detail)
        return {}
    finally:
        _asking.release()
    return _priced(quote)


def _priced(quote: RemoteQuote) -> dict[str, Quantity]:
    """Of every unit what the quotation adds up to, rounded up once; as usage records are read."""
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for name, value in quote.quantities:
        sums[name] += Fraction(value)
    basis = _("quoted by the provider")
    return {unit: Quantity(n, basis, "provider") for unit, n in measured(sums).items()}
