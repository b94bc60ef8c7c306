"""What became of a run whose answer was lost, at providers that can be asked by reference."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote

from common.http import Response
from providers.addresses import is_own
from providers.calls import fetch
from providers.ports import Endpoint, Found, RemoteStatus


def look_up(
    endpoint: Endpoint, reference: str, read: Callable[[Response], RemoteStatus]
) -> RemoteStatus | Found:
    """404: never arrived; 202: cannot tell yet; else the job's status, as `read` understands it."""
    if not endpoint.lookup_url:
        return Found.UNKNOWN
    address = endpoint.lookup_url.replace("{reference}", quote(reference, safe=""))
    if not is_own(endpoint, address):
        return Found.UNKNOWN
    answer = fetch(endpoint, "GET", address)
    if answer.status == HTTPStatus.NOT_FOUND:
        return Found.NEVER_ARRIVED
    return Found.UNKNOWN if answer.status == HTTPStatus.ACCEPTED else read(answer)
