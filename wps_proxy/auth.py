"""Who calls a machine door, and whether these credentials may do it."""

from __future__ import annotations

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

    A session is sent along by the browser whoever made it ask, and the door takes no CSRF token.
    What a browser says to come from another site has lost the scope already (`people.tokens`); one
    that does not say where it comes from runs nothing here. And nothing is run by GET: a link in a
    mail is followed as if its reader had typed it, one in a page of ours as if we had written it.
    """
    _must_allow(caller, Scope.RUN)
    if request.method == "HEAD":
        raise Forbidden(_("HEAD starts nothing."))
    if request.headers.get("Authorization"):
        return
    told = request.headers.get("Sec-Fetch-Site") or request.headers.get("Origin")
    if request.method == "GET" or not told:
        raise Forbidden(
            _("From a browser, this can only be started by a page of the portal. Send an API key.")
        )


def _must_allow(caller: Caller, scope: Scope) -> None:
    if not caller.allows(scope.value):
        raise Forbidden(
            _("These credentials are not for this: they lack the scope “%(scope)s”.")
            % {"scope": scope.value}
        )
