"""Parts of the portal that other packages bring along, by entry points beside the built-in ones."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from django.utils.translation import gettext as _

from common.errors import ConfigurationError


def plugin(group: str, name: str, built_in: Mapping[str, Any]) -> Any:
    """The part of that name; a built-in one cannot be replaced from outside.

    Raises ConfigurationError when there is none, or it cannot be loaded.
    """
    if name in built_in:
        return built_in[name]
    for entry in entry_points(group=group, name=name):
        try:
            return entry.load()
        except Exception as error:
            text = f"The {group} “{name}” ({entry.value}) cannot be loaded: {error}"
            raise ConfigurationError(text) from error
    text = _("No “%(name)s” is installed among %(group)s.")
    raise ConfigurationError(text % {"name": name, "group": group})


def plugins(group: str, built_in: Mapping[str, Any]) -> list[str]:
    """The names of all that are installed."""
    return sorted({*built_in, *entry_points(group=group).names})
