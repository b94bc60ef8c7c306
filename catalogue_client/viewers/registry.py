"""Name → adapter of viewers: the built-in ones, and those of other packages (`tep.viewers`)."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points

from django.utils.translation import gettext as _

from catalogue_client.viewers import geonode, puma
from catalogue_client.viewers.contract import Adapter
from common.errors import ConfigurationError

GROUP = "tep.viewers"

_BUILT_IN: dict[str, Adapter] = {"geonode": geonode, "puma": puma}


@lru_cache(maxsize=32)
def adapter_of(name: str) -> Adapter:
    """The adapter of that name; a built-in one cannot be replaced from outside.

    Raises ConfigurationError when there is none, or it cannot be loaded.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for entry in entry_points(group=GROUP, name=name):
        try:
            adapter: Adapter = entry.load()
        except Exception as error:
            text = f"The viewer adapter “{name}” ({entry.value}) cannot be loaded: {error}"
            raise ConfigurationError(text) from error
        return adapter
    raise ConfigurationError(
        _("No adapter for viewers of the kind “%(name)s” is installed.") % {"name": name}
    )


def adapters() -> list[str]:
    """The names of the adapters that are installed."""
    return sorted({*_BUILT_IN, *entry_points(group=GROUP).names})
