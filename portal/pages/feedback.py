"""Telling the user how an action went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from common.errors import (
    Conflict,
    InvalidInput,
    PaymentRequired,
    PortalError,
    ProviderError,
    RateLimited,
    TooLarge,
)

# What the user can mend; NotFound and Forbidden go on to become pages of their own.
_TOLD: tuple[type[PortalError], ...] = (
    Conflict,
    InvalidInput,
    PaymentRequired,
    ProviderError,
    RateLimited,
    TooLarge,
)


@contextmanager
def told(request: HttpRequest, done: str = "") -> Iterator[list[str]]:
    """Say `done` after the block, or the last text that it added; or say what its error says."""
    said = [done]
    try:
        yield said
    except _TOLD as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, said[-1])
