"""Refusals as problem documents (RFC 7807) with the types of 18-062r2, or as pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt

from common import problems
from common.errors import (
    InvalidInput,
    MethodError,
    NotAuthenticated,
    NotFound,
    PortalError,
    RateLimited,
    ServerBusy,
    TooLarge,
)
from wps_proxy.offers import NoSuchProcess

log = structlog.get_logger(__name__)

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
RETRY_SECONDS = 30
View = Callable[..., HttpResponseBase]


class UnknownProcess(NotFound):
    """18-062r2 /req/core/process-exception/no-such-process."""

    kind = f"{EXCEPTIONS}no-such-process"


class NoSuchJob(NotFound):
    """18-062r2 /req/core/job-exception-no-such-job."""

    kind = f"{EXCEPTIONS}no-such-job"
    message = gettext_lazy("There is no such job, or it is not yours to see.")


class ResultNotReady(NotFound):
    """18-062r2 /req/core/job-results-exception/results-not-ready."""

    kind = f"{EXCEPTIONS}result-not-ready"


class WrongParameter(InvalidInput):
    """A query parameter of a wrong value (18-062r2 §7.5)."""

    kind = f"{EXCEPTIONS}invalid-query-parameter-value"

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail, locator=name)


def answered(*methods: str) -> Callable[[View], View]:
    """Answer these methods, and whatever the view raises in the words of the protocol; nothing
    internal gets out."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                _look_at(request, methods)
                return view(request, *args, **kwargs)
            except Exception as raised:  # noqa: BLE001 (all are told apart)
                error = _told(raised)
            response = refusal(request, error)
            if isinstance(error, MethodError):
                response.headers["Allow"] = ", ".join(methods)
            return response

        # No CSRF token: clients are programs; what a foreign page could misuse `auth` refuses.
        return csrf_exempt(answer)

    return decorate


def _look_at(request: HttpRequest, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        raise MethodError
    if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        raise InvalidInput(_("There is a NUL character in the address."))


def _told(raised: Exception) -> PortalError:
    """What may be told of an exception; its own text goes to the log."""
    if isinstance(raised, NoSuchProcess):
        return UnknownProcess(raised.detail)
    if isinstance(raised, PortalError):
        return raised
    if isinstance(raised, RequestDataTooBig):
        return TooLarge(_("The request is larger than 10 MiB. Give large data by reference."))
    log.error("ogcapi.failed", exc_info=raised)
    return PortalError()


def refusal(request: HttpRequest, error: PortalError) -> HttpResponse:
    """The answer to an error: a problem document, or a page for people."""
    response = _page(request, error) if _for_people(request) else _problem(request, error)
    response.headers["Cache-Control"] = "no-store"
    if isinstance(error, RateLimited | ServerBusy):
        response.headers.setdefault("Retry-After", str(RETRY_SECONDS))
    return response


def _for_people(request: HttpRequest) -> bool:
    """An `f` that is wrong itself must not be looked at again: what is unclear is for programs."""
    asked = request.GET.get("f")
    if asked:
        return asked.strip().lower() == "html"
    kinds = ["application/json", problems.MEDIA_TYPE, "text/html"]
    return request.get_preferred_type(kinds) == "text/html"


def _page(request: HttpRequest, error: PortalError) -> HttpResponse:
    signs_in = "Authorization" not in request.headers and request.method in ("GET", "HEAD")
    if isinstance(error, NotAuthenticated) and signs_in:
        return redirect_to_login(request.get_full_path())
    context = {"title": error.message, "text": error.detail}
    return render(request, "error.html", context, status=error.status)


def _problem(request: HttpRequest, error: PortalError) -> HttpResponse:
    """To a client that takes application/json and nothing else of the kind, under that name."""
    kind = getattr(error, "kind", "")
    if isinstance(error, NotAuthenticated):
        kind = "about:blank"
    response = problems.problem_response(error, kind=kind)
    if not request.accepts(problems.MEDIA_TYPE) and request.accepts("application/json"):
        response.headers["Content-Type"] = "application/json"
    return response
