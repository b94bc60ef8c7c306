"""Answers to what went wrong, as a page for people and as problem+json for programs."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

from common import problems
from common.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PaymentRequired,
    PortalError,
    ProviderError,
    RateLimited,
    ServerBusy,
)

PROGRAMS = ("/api/", "/ogcapi")


def error_response(request: HttpRequest, error: PortalError) -> HttpResponse:
    """The answer to a PortalError that no door of a protocol has translated."""
    if request.path.startswith(PROGRAMS) or "Authorization" in request.headers:
        return problems.problem_response(error)
    if isinstance(error, NotAuthenticated) and request.method in ("GET", "HEAD"):
        return redirect_to_login(request.get_full_path())
    title, icon = _heading(error)
    context = {"title": title, "text": error.detail, "name": icon, "status": error.status}
    return render(request, "error.html", context, status=error.status)


def _heading(error: PortalError) -> tuple[str, str]:
    """A title for people, and the name of an icon."""
    for kind, title, icon in (
        (NotFound, _("There is nothing here"), "search"),
        (Forbidden, _("This is not yours to do"), "alert"),
        (NotAuthenticated, _("Sign in first"), "alert"),
        (PaymentRequired, _("The credit does not cover this"), "alert"),
        (InvalidInput, _("This request cannot be understood"), "alert"),
        (Conflict, _("This cannot be done now"), "alert"),
        (RateLimited, _("Too many attempts"), "clock"),
        (ServerBusy, _("The portal is busy"), "clock"),
        (ProviderError, _("The provider could not do this"), "alert"),
    ):
        if isinstance(error, kind):
            return title, icon
    return _("Something went wrong"), "alert"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400"""
    del exception  # its text is for the log
    return _page_or_problem(request, "400.html", InvalidInput())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403"""
    del exception
    return _page_or_problem(request, "403.html", Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404"""
    del exception
    return _page_or_problem(request, "404.html", NotFound())


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW"""
    del reason
    return _page_or_problem(request, "403_csrf.html", Forbidden())


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: without the database and the user, which may be what is broken."""
    if request.path.startswith(PROGRAMS):
        return problems.problem_response(PortalError())
    context = {"request_id": getattr(request, "request_id", "")}
    return HttpResponse(loader.get_template("500.html").render(context), status=500)


def _page_or_problem(request: HttpRequest, template: str, error: PortalError) -> HttpResponse:
    if request.path.startswith(PROGRAMS):
        return problems.problem_response(error)
    return render(request, template, status=error.status)
