"""Kind of source → adapter: the built-in ones, and those of other packages."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points

from django.utils.translation import gettext as _

from accounting.sources import ams, apel_rest, dirq, egi, stomp_queue, t2
from accounting.sources.contract import Adapter
from common.errors import ConfigurationError

GROUP = "tep.usage_sources"
FOLDER = "dirq"

_BUILT_IN: dict[str, Adapter] = {
    FOLDER: dirq,
    "stomp": stomp_queue,
    "ams": ams,
    "apel-rest": apel_rest,
    "egi": egi,
    "t2": t2,
}


@lru_cache(maxsize=32)
def adapter_of(kind: str) -> Adapter:
    """The adapter of that name; a built-in one cannot be replaced from outside.

    Raises ConfigurationError when there is none, or it cannot be loaded.
    """
    if kind in _BUILT_IN:
        return _BUILT_IN[kind]
    for entry in entry_points(group=GROUP, name=kind):
        try:
            adapter: Adapter = entry.load()
        except Exception as error:
            text = f"The usage source “{kind}” ({entry.value}) cannot be loaded: {error}"
            raise ConfigurationError(text) from error
        return adapter
    raise ConfigurationError(
        _("No adapter for usage sources of the kind “%(kind)s” is installed.") % {"kind": kind}
    )


def kinds() -> list[str]:
    """The kinds that a source can be of."""
    return sorted({*_BUILT_IN, *entry_points(group=GROUP).names})
