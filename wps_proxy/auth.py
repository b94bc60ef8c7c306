"""Who calls a machine door, and whether these credentials may do it."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.translation import gettext as _

from common.errors import Forbidden, NotAuthenticated
from people.models import Scope
from people.tokens import Caller, user_of_request


def reader_of(request: HttpRequest) -> Caller:
    """The caller, who may read here. Raises NotAuthenticated, RateLimited, Forbidden."""
    caller = user_of_request(request)
    if caller is None:
        raise NotAuthenticated(
            _("Send your user name with an API key as password, or an API key as bearer token.")
        )
    _must_allow(caller, Scope.READ)
    return caller


def must_be_allowed_to_run(request: HttpRequest, caller: Caller) -> None:
    """Raises Forbidden when these credentials may not spend credit.

    A session is sent along by the browser whoever made it ask. As the door takes no CSRF token, a
    session runs something only if the browser says that a page of the portal, or the address bar,
    made it ask; that holds for GET and POST alike.
    """
    _must_allow(caller, Scope.RUN)
    if request.method == "HEAD":
        raise Forbidden(_("HEAD starts nothing."))
    if not request.headers.get("Authorization") and not _asked_by_the_portal(request):
        raise Forbidden(_("From a browser, this can only be started by a page of the portal."))


def _must_allow(caller: Caller, scope: Scope) -> None:
    if not caller.allows(scope.value):
        raise Forbidden(
            _("These credentials are not for this: they lack the scope “%(scope)s”.")
            % {"scope": scope.value}
        )


def _asked_by_the_portal(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site:
        return site in ("same-origin", "none")
    return urlsplit(request.headers.get("Origin", "")).netloc == request.get_host()
