"""Kind of source → adapter: the built-in ones, and those of other packages."""

from __future__ import annotations

from functools import lru_cache

from accounting.sources import ams, apel_rest, dirq, egi, stomp_queue, t2
from accounting.sources.contract import Adapter
from common.plugins import plugin, plugins

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
    """The adapter of that name. Raises ConfigurationError: see `plugin`."""
    adapter: Adapter = plugin(GROUP, kind, _BUILT_IN)
    return adapter


def kinds() -> list[str]:
    """The kinds that a source can be of."""
    return plugins(GROUP, _BUILT_IN)
