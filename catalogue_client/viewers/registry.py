"""Name → adapter of viewers: the built-in ones, and those of other packages (`tep.viewers`)."""

from __future__ import annotations

from functools import lru_cache

from catalogue_client.viewers import geonode, puma
from catalogue_client.viewers.contract import Adapter
from common.plugins import plugin, plugins

GROUP = "tep.viewers"

_BUILT_IN: dict[str, Adapter] = {"geonode": geonode, "puma": puma}


@lru_cache(maxsize=32)
def adapter_of(name: str) -> Adapter:
    """The adapter of that name. Raises ConfigurationError: see `plugin`."""
    adapter: Adapter = plugin(GROUP, name, _BUILT_IN)
    return adapter


def adapters() -> list[str]:
    """The names of the adapters that are installed."""
    return plugins(GROUP, _BUILT_IN)
