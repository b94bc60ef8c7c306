"""What every machine door of the catalogue shares: who asks, errors as JSON, CORS, caching."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from catalogue_client.models import Item
from common.errors import Forbidden, NotAuthenticated, PortalError
from people.models import Scope
from people.tokens import CHALLENGE, user_of_request

log = structlog.get_logger(__name__)

PUBLIC = "public, max-age=60"
PRIVATE = "private, no-cache"


View = Callable[..., HttpResponse]


def door(*methods: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """A view for programs: reads only, so it needs no CSRF token whatever the method.

    The view gets the user (None: not signed in; then it shows what is public). Pages of other
    origins may read it, never with the visitor's cookies.
    """

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @functools.wraps(view)
        def answered(request: HttpRequest, **parts: Any) -> HttpResponse:
            response = _answer(view, methods, request, parts)
            response["Access-Control-Allow-Origin"] = "*"
            response["Access-Control-Expose-Headers"] = "ETag, Link, Location"
            response["Cross-Origin-Resource-Policy"] = "cross-origin"
            patch_vary_headers(response, ("Authorization", "Cookie"))
            return response

        return answered

    return decorate


def base_of(request: HttpRequest) -> str:
    """The portal's address as the caller knows it, without a slash at the end."""
    return request.build_absolute_uri("/").rstrip("/")


def unchanged(request: HttpRequest, item: Item, form: str) -> HttpResponse | None:
    """The answer 304 (or 412) if the caller has this revision of the item already."""
    answer = get_conditional_response(
        request, etag=_etag(item, form), last_modified=int(item.updated_at.timestamp())
    )
    return stamped(answer, item, form) if answer is not None else None


def stamped(response: Any, item: Item, form: str) -> HttpResponse:
    """The response with what lets the caller ask for changes only."""
    response["ETag"] = _etag(item, form)
    response["Last-Modified"] = http_date(item.updated_at.timestamp())
    answer: HttpResponse = response
    return answer


def _etag(item: Item, form: str) -> str:
    return f'"{item.pk}.{item.revision}.{item.collection.revision}-{form}"'


def _answer(
    view: View, methods: tuple[str, ...], request: HttpRequest, parts: dict[str, Any]
) -> HttpResponse:
    if request.method == "OPTIONS":
        return _preflight(methods)
    if request.method not in (*methods, "HEAD"):
        response = _error(405, "method_not_allowed", f"Use {' or '.join(methods)}.")
        response["Allow"] = ", ".join((*methods, "HEAD", "OPTIONS"))
        return response
    user = None
    try:
        caller = user_of_request(request)
        if caller is not None:
            user = caller.user
            if not caller.allows(Scope.READ):
                raise Forbidden("This API key may not read.")
        response = view(request, user, **parts)
    except PortalError as error:
        log.info("catalogue.refused", code=error.code, status=error.status)
        response = _error(error.status, error.code, error.detail)
        if isinstance(error, NotAuthenticated):
            response["WWW-Authenticate"] = CHALLENGE
        response["Cache-Control"] = PRIVATE
    response.headers.setdefault("Cache-Control", PUBLIC if user is None else PRIVATE)
    return response


def _error(status: int, code: str, text: str) -> HttpResponse:
    return JsonResponse({"code": code, "description": text}, status=status)


def _preflight(methods: tuple[str, ...]) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = ", ".join((*methods, "HEAD", "OPTIONS"))
    response["Access-Control-Allow-Headers"] = "content-type, authorization, if-none-match"
    response["Access-Control-Max-Age"] = "86400"
    return response
