"""People in Django REST framework: API keys, and what they may be used for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied, Throttled
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from common.errors import NotAuthenticated, RateLimited
from people.models import Scope, User
from people.tokens import Caller, caller_of_header

if TYPE_CHECKING:
    from rest_framework.views import APIView


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <API key>`, or Basic with an API key or the password."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        """The user and the Caller (as `request.auth`); None without such a header."""
        try:
            caller = caller_of_header(request._request)
        except NotAuthenticated as error:
            raise AuthenticationFailed(error.detail) from None
        except RateLimited as error:
            raise Throttled(detail=error.detail) from None
        return (caller.user, caller) if caller else None

    def authenticate_header(self, request: Request) -> str:
        return NotAuthenticated.challenge


class ScopePermission(BasePermission):
    """Signed in, and with a key that may be used for this.

    Reading needs `read`; anything else the view's `scope` (manage when it names none). A session
    has every scope.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        needed = needed_scope(request.method or "", view)
        if isinstance(request.auth, Caller) and not request.auth.allows(needed):
            raise PermissionDenied(f"This API key is not for this: it needs the scope “{needed}”.")
        return True


def needed_scope(method: str, view: Any) -> str:
    """The scope that a request to the view needs."""
    if method in SAFE_METHODS:
        return Scope.READ.value
    return str(getattr(view, "scope", Scope.MANAGE.value))


def signed_in(request: Request) -> User:
    """The user behind a request that ScopePermission has let through."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user
