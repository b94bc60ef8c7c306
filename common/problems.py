"""Errors as application/problem+json (RFC 9457), for every API of the portal."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.views import set_rollback

from common.errors import (
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PortalError,
    RateLimited,
    TooLarge,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_FOR_DOORS = frozenset({"ows_code", "native_code"})  # other protocols' words


def problem_response(error: PortalError, *, kind: str = "") -> HttpResponse:
    """The answer to an error: type, title, status, detail, code, and the error's facts.

    `kind` is the URI of the type where a standard has one.
    """
    facts = {k: v for k, v in error.data.items() if k not in _FOR_DOORS}
    if isinstance(error, InvalidInput):
        facts["errors"] = error.errors
    response = _problem(error.status, error.code, str(error.message), error.detail, facts, kind)
    if isinstance(error, NotAuthenticated):
        response["WWW-Authenticate"] = error.challenge
    if "retry_after" in error.data:
        response["Retry-After"] = str(error.data["retry_after"])
    return response


def exception_handler(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Django REST framework's EXCEPTION_HANDLER: whatever a view raised, as a problem.

    The text of an exception that is not ours goes to the log and to nobody else.
    """
    del context
    set_rollback()
    translated = _as_portal_error(error)
    if translated is not None:
        return problem_response(translated)
    if isinstance(error, drf.APIException):
        code = str(error.default_code)
        return _problem(error.status_code, code, _phrase(error.status_code), str(error.detail), {})
    log.error("an API view failed", exc_info=error)
    return problem_response(PortalError())


def _as_portal_error(error: Exception) -> PortalError | None:
    if isinstance(error, PortalError):
        return error
    if isinstance(error, drf.ValidationError):
        return InvalidInput(errors=_flat(error.detail))
    if isinstance(error, DjangoValidationError):
        return InvalidInput(errors=_flat(getattr(error, "message_dict", error.messages)))
    if isinstance(error, drf.Throttled):
        return RateLimited(
            error.detail, retry_after=max(1, round(getattr(error, "wait", None) or 1))
        )
    for kinds, own in (
        ((drf.NotAuthenticated, drf.AuthenticationFailed), NotAuthenticated),
        ((drf.PermissionDenied, PermissionDenied), Forbidden),
        ((drf.NotFound, Http404), NotFound),
        ((RequestDataTooBig,), TooLarge),
    ):
        if isinstance(error, kinds):
            # Django's own texts name models and ids; DRF's were written for the caller.
            return own(error.detail if isinstance(error, drf.APIException) else None)
    return None


def _flat(detail: Any) -> dict[str, list[str]]:
    """Nested errors of serializers as one level: `inputs.0.value` → its messages."""
    errors: dict[str, list[str]] = {}
    for path, text in _leaves(detail, ""):
        errors.setdefault(path, []).append(text)
    return errors


def _leaves(detail: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            step = "" if key == "non_field_errors" else str(key)
            yield from _leaves(value, ".".join(filter(None, (path, step))))
    elif isinstance(detail, list | tuple):
        for index, value in enumerate(detail):
            nested = isinstance(value, Mapping | list)
            yield from _leaves(value, f"{path}.{index}".lstrip(".") if nested else path)
    else:
        yield path, str(detail)


def _problem(
    status: int, code: str, title: str, detail: str, facts: Mapping[str, Any], kind: str = ""
) -> HttpResponse:
    members = {
        **facts,
        "type": kind or f"urn:tep-portal:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    # Amounts are Decimal and become strings: no reader may round them.
    body = json.dumps(members, cls=DjangoJSONEncoder)
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
