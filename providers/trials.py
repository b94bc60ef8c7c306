"""Trying a connection: does a server answer, and what does it say of itself?

For a person who waits for the answer, so counted (`providers.pace`) and bounded in time. What went
wrong is told without the address of anything that the server names.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from providers import detect
from providers.access import require_manager
from providers.models import Provider
from providers.pace import keep_pace
from providers.registry import driver_for
from providers.services import note_answer

if TYPE_CHECKING:
    from people.models import User


@dataclass(frozen=True, slots=True)
class Trial:
    """What a server said: its protocol, title, how many processes it offers, and how fast."""

    protocol: str
    title: str
    processes: int
    milliseconds: int
    tried: tuple[str, ...] = ()


def try_address(*, user: User, url: str, username: str = "", password: str = "") -> Trial:
    """Look at a server that may not be registered.

    Raises RateLimited, InvalidInput on `url`, and ProviderError with `tried` in its data.
    """
    keep_pace(user, "look")
    begun = time.monotonic()
    found = detect.look(url, username, password)
    return Trial(found.protocol, found.title, found.processes, _since(begun), found.tried)


def try_provider(*, actor: User, provider: Provider) -> Trial:
    """Ask a registered provider for its capabilities, as the portal always does.

    Raises Forbidden, RateLimited, ProviderError.
    """
    require_manager(actor, provider)
    keep_pace(actor, "look")
    begun = time.monotonic()
    info = driver_for(provider).capabilities(provider.endpoint())
    milliseconds = _since(begun)
    note_answer(provider=provider)
    return Trial(provider.protocol, info.title, len(info.processes), milliseconds)


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)
