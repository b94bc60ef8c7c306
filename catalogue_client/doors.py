"""What every machine door of the catalogue shares: who asks, errors, CORS, caching."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import http_date, parse_etags, quote_etag
from django.views.decorators.csrf import csrf_exempt

from catalogue_client.change_list import state
from catalogue_client.models import Item
from common.errors import (
    Forbidden,
    MethodError,
    NotAuthenticated,
    PortalError,
    PreconditionFailed,
    TooLarge,
)
from people.models import Scope, User
from people.tokens import CHALLENGE, user_of_request

log = structlog.get_logger(__name__)

PUBLIC = "public, max-age=60"
PRIVATE = "private, no-cache"


View = Callable[..., HttpResponse]
Refusal = Callable[[HttpRequest, PortalError], HttpResponse]


def door(
    *methods: str, writes: tuple[str, ...] = (), refusal: Refusal | None = None
) -> Callable[[View], Callable[..., HttpResponse]]:
    """A view for programs, without a CSRF token: `methods` only read, whatever they are called.

    `writes` need somebody whose credentials may manage; a session does not, when another site's
    page sends the request. The view gets the user (None: not signed in; then it shows what is
    public). Pages of other origins may read it, never with the visitor's cookies. `refusal` writes
    an error in the door's own form; without it errors are JSON.
    """
    refused = refusal or _error

    def decorate(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt
        @functools.wraps(view)
        def answered(request: HttpRequest, **parts: Any) -> HttpResponse:
            response = _answer(view, methods, writes, request, parts, refused)
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


def answer(
    document: dict[str, Any], media_type: str = "application/json", status: int = 200
) -> HttpResponse:
    """A document as JSON, written in a fifth of the time that Django's own class takes."""
    return HttpResponse(orjson.dumps(document), content_type=media_type, status=status)


def must_match(request: HttpRequest, item: Item, form: str) -> None:
    """Refuse a change of an item that is not as the caller last read it, if the caller says how
    that was (If-Match). Raises PreconditionFailed."""
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if wanted and "*" not in wanted and _etag(item, form) not in wanted:
        raise PreconditionFailed


def hashed(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """A document that depends on the caller and on much else, tagged by what is in it."""
    return tagged(request, answer(document))


def tagged(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer with a tag of what is in it; 304 if the caller has that already."""
    tag = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
    response["ETag"] = tag
    found: HttpResponse | None = get_conditional_response(request, etag=tag, response=response)
    return found or response


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


def unchanged_list(request: HttpRequest, user: User | None, answer: View) -> HttpResponse:
    """What `answer` gives, or 304 if nothing that the caller may see has changed since."""
    if request.method == "POST":
        return answer()
    etag = f'W/"{state(user, request.get_host())}"'
    response = get_conditional_response(request, etag=etag) or answer()
    response["ETag"] = etag
    return response


def _etag(item: Item, form: str) -> str:
    return f'"{item.pk}.{item.revision}.{item.collection.revision}-{form}"'


def _answer(
    view: View,
    methods: tuple[str, ...],
    writes: tuple[str, ...],
    request: HttpRequest,
    parts: dict[str, Any],
    refused: Refusal,
) -> HttpResponse:
    allowed = tuple(dict.fromkeys((*methods, *writes)))
    if request.method == "OPTIONS":
        return _preflight(allowed)
    if request.method not in (*allowed, "HEAD"):
        response = refused(request, MethodError(f"Use {' or '.join(allowed)}."))
        response["Allow"] = ", ".join((*allowed, "HEAD", "OPTIONS"))
        return response
    user = None
    try:
        user = _user(request, writing=request.method in writes)
        response = view(request, user, **parts)
    except RequestDataTooBig:
        response = _refusal(request, TooLarge(), refused)
    except PortalError as error:
        response = _refusal(request, error, refused)
    response.headers.setdefault("Cache-Control", PUBLIC if user is None else PRIVATE)
    return response


def _refusal(request: HttpRequest, error: PortalError, refused: Refusal) -> HttpResponse:
    log.info("catalogue.refused", code=error.code, status=error.status)
    response = refused(request, error)
    if isinstance(error, NotAuthenticated):
        response["WWW-Authenticate"] = CHALLENGE
    response["Cache-Control"] = PRIVATE
    return response


def _user(request: HttpRequest, *, writing: bool) -> User | None:
    caller = user_of_request(request)
    if caller is None:
        if writing:
            raise NotAuthenticated
        return None
    if not caller.allows(Scope.READ):
        raise Forbidden("This API key may not read.")
    if writing and not caller.allows(Scope.MANAGE):
        raise Forbidden("Changes need an API key that may manage.")
    return caller.user


def plain(request: HttpRequest, error: PortalError) -> HttpResponse:
    """An error as text, for doors whose form has no word for errors."""
    del request
    return HttpResponse(error.detail, content_type="text/plain; charset=utf-8", status=error.status)


def _error(request: HttpRequest, error: PortalError) -> HttpResponse:
    del request
    return JsonResponse({"code": error.code, "description": error.detail}, status=error.status)


def _preflight(methods: tuple[str, ...]) -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = ", ".join((*methods, "HEAD", "OPTIONS"))
    response["Access-Control-Allow-Headers"] = (
        "content-type, authorization, if-none-match, if-match"
    )
    response["Access-Control-Max-Age"] = "86400"
    return response
