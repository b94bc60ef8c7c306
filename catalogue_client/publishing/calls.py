"""Requests to a target, with its own credentials and nothing of the user's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from catalogue_client.models import PublishTarget
from common import http
from common.crypto import decrypt
from common.errors import ProviderError, ProviderNonsense, ProviderRefused
from common.http import Limits, Response

LIMITS = Limits(connect=5, read=20, total=30)
_LATER = frozenset({408, 409, 412, 425, 429})  # not refused for good
_UNKNOWN_CALLER = frozenset({401, 403})
_OK, _BAD, _BROKEN = 200, 400, 500


def send(
    target: PublishTarget,
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One request and its whole answer, whatever its status. Raises ProviderError."""
    given = dict(headers or {})
    auth = None
    if target.secret and target.username:
        auth = (target.username, decrypt(target.secret))
    elif target.secret:
        given["Authorization"] = f"Bearer {decrypt(target.secret)}"
    return http.fetch(
        method, url, headers=given, body=body, auth=auth, origin=target.url, limits=LIMITS
    )


def check(answer: Response) -> None:
    """Raises ProviderRefused for what will not do another time either, else ProviderError, unless
    the answer is good."""
    status = answer.status
    if _OK <= status < _BAD - 100:
        return
    if status in _UNKNOWN_CALLER:
        raise ProviderRefused(_("The catalogue does not accept the portal's credentials."))
    if _BAD <= status < _BROKEN and status not in _LATER:
        text = _("The catalogue refuses the record (status %(status)s). %(why)s")
        raise ProviderRefused(text % {"status": status, "why": _reason(answer)})
    text = _("The catalogue cannot take the record now (status %(status)s).")
    raise ProviderError(text % {"status": status})


def object_of(answer: Response) -> dict[str, Any]:
    """The JSON object of an answer. Raises ProviderNonsense."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderNonsense(_("The catalogue's answer is no JSON object."))
    return document


def _reason(answer: Response) -> str:
    """What the catalogue says, short and harmless."""
    try:
        document = json.loads(answer.body)
        said = document.get("description") or document.get("detail") or ""
    except (ValueError, AttributeError, RecursionError):
        return ""
    return "".join(c for c in str(said)[:150] if c.isprintable())
