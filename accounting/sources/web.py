"""JSON from services that adapters ask: guarded, bounded, refused when it is something else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from math import inf
from time import monotonic
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import (
    AddressRefused,
    InvalidInput,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from common.guard import addresses_of, target_of
from common.http import Limits, Response, fetch

# Reporting interfaces answer with all they have.
LARGE = Limits(total=60.0, read=60.0, max_bytes=64 * 2**20)


def check_url(url: str) -> None:
    """Raise InvalidInput on the address unless the portal may call it (its name may be unknown)."""
    try:
        addresses_of(target_of(url))
    except AddressRefused as error:
        raise InvalidInput(error.detail, locator="address") from None
    except ProviderUnreachable:
        pass


def end_of_look() -> float:
    """Until when (of `monotonic`) an interface may be asked in one go.

    Later the worker's lease would be over, and others would ask the same at the same time: a slow
    service would keep all workers.
    """
    return monotonic() + settings.DUE_LEASE_SECONDS * 0.8


def get(url: str, *, headers: Mapping[str, str], origin: str, end: float = inf) -> Response:
    """A whole answer of status 200, before `end`; `headers` go to `origin` alone."""
    return _good(fetch("GET", url, headers=headers, origin=origin, limits=_limits(end)))


def post_json(
    url: str, document: Any, *, headers: Mapping[str, str], end: float = inf
) -> dict[str, Any]:
    """The JSON object that answers this one, before `end`."""
    given = {"Content-Type": "application/json", **headers}
    body = json.dumps(document).encode()
    answer = _good(fetch("POST", url, headers=given, body=body, limits=_limits(end)))
    return read_object(answer.body)


def _limits(end: float) -> Limits:
    left = end - monotonic()
    if left <= 0:
        raise ProviderTimeout(_("The service takes too long for all that is to be asked."))
    return replace(LARGE, total=min(LARGE.total or inf, left))


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object; numbers with a fraction are Decimal. Raises ProviderNonsense for others."""
    try:
        document = json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderNonsense(_("The answer is not the JSON that it should be."))
    return document


def _good(answer: Response) -> Response:
    if answer.status != 200:  # noqa: PLR2004 (HTTP)
        raise ProviderRefused(
            _("The service answers with status %(status)s.") % {"status": answer.status},
            http_status=answer.status,
        )
    return answer


def _no_number(text: str) -> None:
    raise ValueError(text)
