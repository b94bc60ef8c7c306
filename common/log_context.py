"""What every log line of a request or of a piece of due work carries: its ids.

(structlog's own keeps each name in a variable of its own, and looks through all variables of the
process for every line.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_NOTHING: Mapping[str, Any] = {}
_told: ContextVar[Mapping[str, Any]] = ContextVar("log context", default=_NOTHING)


def begin(**names: Any) -> None:
    """From here on lines carry these, and nothing of what was before."""
    _told.set(names)


def add(**names: Any) -> None:
    """From here on lines carry these too."""
    _told.set({**_told.get(), **names})


@contextmanager
def within(**names: Any) -> Iterator[None]:
    """Lines inside carry these too."""
    token = _told.set({**_told.get(), **names})
    try:
        yield
    finally:
        _told.reset(token)


def merge(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The step of structlog that adds them; what a line says itself stays."""
    for name, value in _told.get().items():
        event.setdefault(name, value)
    return event
