"""Errors as ows:ExceptionReport with HTTP status and locator (06-121r3 §8).

The media type is exactly `text/xml`, without a charset: only then does OWSLib raise our text for a
status that it does not know, such as 402.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from common.errors import (
    NotAuthenticated,
    PaymentRequired,
    PortalError,
    RateLimited,
    ServerBusy,
    TooLarge,
)
from common.ows import exception_report, exception_status
from people.tokens import CHALLENGE

log = structlog.get_logger(__name__)

XML = "text/xml"
RETRY_SECONDS = 30
View = Callable[..., HttpResponseBase]


def reported(view: View) -> View:
    """Answer whatever the view raises in the words of the protocol; nothing internal gets out."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except PortalError as error:
            return refusal(error)
        except RequestDataTooBig:
            return refusal(
                TooLarge(_("The request is larger than 10 MiB. Give large data by reference."))
            )
        except Exception:
            log.exception("wps.failed")
            return refusal(PortalError())

    return answer


def refusal(error: PortalError) -> HttpResponse:
    """The exception report of an error as an HTTP answer."""
    if isinstance(error, PaymentRequired):
        error = _with_sums(error)
    response = HttpResponse(
        exception_report(error), status=exception_status(error), content_type=XML
    )
    response.headers["Cache-Control"] = "no-store"
    if isinstance(error, NotAuthenticated):
        response.headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, RateLimited | ServerBusy):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _with_sums(error: PaymentRequired) -> PaymentRequired:
    """Price, balance and what is missing, in one text: this is all that a program shows."""
    if "shortfall" not in error.data:
        return error
    sums = _("Price %(required)s, available %(available)s, missing %(shortfall)s credits.")
    return PaymentRequired(f"{error.detail} {sums % error.data}", **error.data)
