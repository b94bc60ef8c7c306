"""What happens around every request: its id, its log line, security headers, and clear errors."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable

import structlog
from csp.constants import HEADER as POLICY
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import activate, get_language, get_language_from_request

from common import log_context
from common.errors import InvalidInput, PortalError
from people.models import User
from portal.views import error_response

log = structlog.get_logger("portal.requests")

GetResponse = Callable[[HttpRequest], HttpResponseBase]
SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = ("health", "metrics")
DOORS = re.compile(r"/(wps|ogcapi|stac|owc|oai|csw|opensearch|waf|apps/[^/]+/(wps|ogcapi))")


class RequestIdMiddleware:
    """Gives each request an id, in `request.request_id`, the answer's header and every log line."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.request_id = request_id = _request_id(request)  # type: ignore[attr-defined]
        log_context.begin(request_id=request_id)
        started = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        _write_line(request, response, time.perf_counter() - started)
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: dict[str, object]
    ) -> None:
        """Name the job that the address is about in every line that follows."""
        del request, view, args
        if "job_id" in kwargs:
            log_context.add(job_id=str(kwargs["job_id"]))


class SecurityHeadersMiddleware:
    """Headers that Django has no setting for; a view that sets one itself keeps its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # The same for every page: none names a nonce or origins of its own.
        self.policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault(POLICY, self.policy)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=()")
        # Answers differ by who asks, and show credit and jobs: no cache between may keep them.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


class PortalErrorMiddleware:
    """Turns a PortalError that a page or an API view raised into an answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """None for anything else: that is a fault of ours, and Django's business."""
        return error_response(request, error) if isinstance(error, PortalError) else None


class LanguageMiddleware:
    """Texts in the language of the cookie or of the browser; no address of the portal names one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = get_language_from_request(request)
        activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", get_language() or language)
        return response


class NulCookieMiddleware:
    """Leaves out cookies with NUL in them: sessions are looked up in the database by theirs."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        cookies = request.COOKIES.items()
        request.COOKIES = {name: value for name, value in cookies if "\x00" not in value}
        return self.get_response(request)


class NulMiddleware:
    """Refuses addresses with NUL in them: no text of a database holds it, PostgreSQL fails on it.

    The doors of protocols are left out, since they say such things in their own words.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        nul = "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", "")
        if nul and not DOORS.match(request.path_info):
            return error_response(request, InvalidInput())
        return self.get_response(request)


def _request_id(request: HttpRequest) -> str:
    """The proxy's id, where there is a proxy; a client alone may not choose what is logged."""
    given = request.headers.get("X-Request-ID", "")
    if settings.BEHIND_PROXY and SANE_ID.fullmatch(given):
        return given
    return secrets.token_hex(8)


def _write_line(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """One line per request. The route instead of the path: paths of sign-in mails hold secrets."""
    route = request.resolver_match.route if request.resolver_match else ""
    if route.startswith(QUIET):
        return
    log.info(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        **_user(request),
    )


def _user(request: HttpRequest) -> dict[str, int]:
    """The user's id, if somebody looked who it is; asking here would cost a query."""
    user = getattr(request, "_cached_user", None)
    return {"user": user.pk} if isinstance(user, User) else {}
