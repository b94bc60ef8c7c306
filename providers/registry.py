"""Protocol name → driver: the built-in ones, and those of other packages (`tep.drivers`)."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from common.errors import ConfigurationError
from providers.drivers.echo import EchoDriver
from providers.drivers.ogcapi import OgcApiDriver
from providers.drivers.wps1 import Wps1Driver
from providers.drivers.wps2 import Wps2Driver
from providers.ports import IN_PROCESS, Driver

if TYPE_CHECKING:
    from providers.models import Provider

GROUP = "tep.drivers"

_BUILT_IN: dict[str, type[Driver]] = {
    IN_PROCESS: EchoDriver,
    "ogcapi-processes": OgcApiDriver,
    "wps-1.0": Wps1Driver,
    "wps-2.0": Wps2Driver,
}


def driver_for(provider: Provider) -> Driver:
    """The driver of a provider's protocol. Raises ConfigurationError when there is none."""
    return driver_of(provider.protocol)


@lru_cache(maxsize=32)
def driver_of(protocol: str) -> Driver:
    """The driver of that name; a built-in one cannot be replaced from outside."""
    if protocol in _BUILT_IN:
        return _BUILT_IN[protocol]()
    for entry in entry_points(group=GROUP, name=protocol):
        try:
            driver: Driver = entry.load()()
        except Exception as error:
            text = f"The driver “{protocol}” ({entry.value}) cannot be loaded: {error}"
            raise ConfigurationError(text) from error
        return driver
    raise ConfigurationError(f"No driver for the protocol “{protocol}” is installed.")


def protocols() -> list[str]:
    """The names that a provider can be registered with."""
    return sorted({*_BUILT_IN, *entry_points(group=GROUP).names} - {IN_PROCESS})
