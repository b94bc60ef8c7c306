"""Requests to a provider, with what is the provider's own: its credentials, its secret headers and
its fixed certificate. All three are for the registered scheme, host and port alone."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from django.conf import settings

from common import http
from common.errors import ProviderTimeout
from common.http import FETCHING, Limits, Response, StreamedResponse
from providers.ports import Endpoint
from providers.process import ExecuteRequest

_end: ContextVar[float] = ContextVar("end of patience", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All questions asked inside together take at most so long: somebody waits for the answer."""
    token = _end.set(min(_end.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _end.reset(token)


def fetch(
    endpoint: Endpoint,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    limits: Limits = FETCHING,
) -> Response:
    """`common.http.fetch` as this provider is called."""
    return http.fetch(
        method,
        url,
        headers={**(headers or {}), **dict(endpoint.headers)},
        body=body,
        auth=_auth(endpoint),
        origin=endpoint.url,
        certificate=endpoint.certificate,
        limits=_shortened(limits),
    )


def stream(
    endpoint: Endpoint, url: str, *, headers: Mapping[str, str] | None = None
) -> StreamedResponse:
    """`common.http.stream` of something that lies at this provider."""
    return http.stream(
        "GET",
        url,
        headers={**(headers or {}), **dict(endpoint.headers)},
        auth=_auth(endpoint),
        origin=endpoint.url,
        certificate=endpoint.certificate,
    )


def run_headers(endpoint: Endpoint, request: ExecuteRequest, reference: str) -> dict[str, str]:
    """What a request that starts a job says of who runs it, and of how we shall ask for it."""
    told = request.identity.headers() if request.identity else {}
    return {**told, endpoint.reference_header: reference} if endpoint.reference_header else told


def run_seconds() -> float:
    """How long a job may take to be answered for: one that cannot be followed answers when it is
    done, and the worker's lease has to end later."""
    return min(settings.SYNC_WAIT_SECONDS, settings.DUE_LEASE_SECONDS - 10)


def _auth(endpoint: Endpoint) -> tuple[str, str] | None:
    return (endpoint.username, endpoint.password) if endpoint.username else None


def _shortened(limits: Limits) -> Limits:
    left = _end.get() - time.monotonic()
    if math.isinf(left):
        return limits
    if left <= 0:
        raise ProviderTimeout
    total = left if limits.total is None else min(limits.total, left)
    return replace(limits, connect=min(limits.connect, left), total=total)
