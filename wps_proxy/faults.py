"""Errors as ows:ExceptionReport with HTTP status and locator (06-121r3 §8, 14-065 §9).

The media type is exactly `text/xml`, without a charset: only then does OWSLib raise our text for a
status that it does not know, such as 402.
"""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.translation import gettext as _

from common.errors import (
    InvalidInput,
    NotAuthenticated,
    PaymentRequired,
    PortalError,
    RateLimited,
    ServerBusy,
)
from common.ows import exception_report, exception_status
from people.tokens import CHALLENGE
from wps_proxy.offers import NoSuchProcess

XML = "text/xml"
RETRY_SECONDS = 30


def refusal(error: PortalError, *, version: str = "1.0.0") -> HttpResponse:
    """The exception report of an error as an HTTP answer."""
    if isinstance(error, PaymentRequired):
        error = _with_sums(error)
    if isinstance(error, NoSuchProcess) and not version.startswith("1"):
        error = InvalidInput(error.detail, locator=error.identifier, ows_code="NoSuchProcess")
    response = HttpResponse(
        exception_report(error, version=version), status=exception_status(error), content_type=XML
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
