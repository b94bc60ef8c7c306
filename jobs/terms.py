"""On what terms a service is run: its prices and formulas, its provider's account and maintenance.

Every run asks, and they hardly ever change: a process keeps them. Nothing stale: they are kept
under the stamp that came with the service (`thematic_apps.access.service_for`), and what was kept
under another one is dropped. A service without a stamp has its terms read anew each time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from accounting.accounts import known_provider_account
from accounting.models import Account, Formula
from accounting.prices.formulas import current_formulas
from accounting.prices.pricing import Prices, next_change, prices_for
from common.clock import now
from providers.maintenance import open_window, windows_of
from providers.models import MaintenanceWindow, Service

T = TypeVar("T")
MOST = 20_000  # values that are kept
_lock = threading.Lock()
_stamp = ""
_kept: dict[tuple[str, int], object] = {}


@dataclass(frozen=True, slots=True)
class _Priced:
    """What holds from one moment until another (None: until something is published)."""

    prices: Prices
    begin: datetime
    end: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.begin <= at and (self.end is None or at < self.end)


def prices(service: Service) -> Prices:
    """What a quote for the service would be made of now."""
    if not service.stamp:
        return prices_for(service.provider_id, service.pk)
    moment = now()
    key = ("prices", service.pk)
    known = _once(service.stamp, key, lambda: _priced(service, moment))
    if not known.holds(moment):
        with _lock:
            _kept.pop(key, None)
        known = _priced(service, moment)
    return known.prices


def formulas(service: Service) -> dict[str, Formula]:
    """The formulas of the service by unit; not to be changed."""
    if not service.stamp:
        return current_formulas(service.pk)
    return _once(service.stamp, ("formulas", service.pk), lambda: current_formulas(service.pk))


def maintained(service: Service) -> bool:
    """Whether a maintenance window of the provider is open now."""
    if not service.stamp:
        return open_window(service.provider) is not None
    windows: tuple[MaintenanceWindow, ...] = _once(
        service.stamp, ("windows", service.provider_id), lambda: windows_of(service.provider)
    )
    moment = now()
    return any(window.starts_at <= moment < window.ends_at for window in windows)


def payee(service: Service) -> Account | None:
    """The provider's account, under the provider's present name, if it was opened; its balance is
    of any time."""
    if not service.stamp:
        return None
    provider = service.provider
    return _once(
        service.stamp,
        ("payee", provider.pk),
        lambda: known_provider_account(provider.pk, provider.name),
    )


def _priced(service: Service, moment: datetime) -> _Priced:
    end = next_change(service.provider_id, moment)
    return _Priced(prices_for(service.provider_id, service.pk, moment), moment, end)


def _once(stamp: str, key: tuple[str, int], read: Callable[[], T]) -> T:
    """What was read under this stamp; None is read again."""
    global _stamp  # noqa: PLW0603 (the process's own)
    with _lock:
        if stamp != _stamp or len(_kept) >= MOST:
            _kept.clear()
            _stamp = stamp
        found = _kept.get(key)
    if found is not None:
        return found  # type: ignore[return-value]
    found = read()
    with _lock:
        if stamp == _stamp and found is not None:
            _kept[key] = found
    return found
