"""Telling the user how an action went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from common.errors import Conflict, InvalidInput, PaymentRequired, PortalError, ProviderError

# What the user can mend; NotFound and Forbidden go on to become pages of their own.
_TOLD: tuple[type[PortalError], ...] = (Conflict, InvalidInput, PaymentRequired, ProviderError)


@contextmanager
def told(request: HttpRequest, done: str) -> Iterator[None]:
    """Say `done` after the block, or say what its error says."""
    try:
        yield
    except _TOLD as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done)
