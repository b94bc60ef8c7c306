"""Questions to a catalogue: to its own origin, within a time, so many and so large at most."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit, urlunsplit

import orjson
from django.utils.translation import gettext as _

from catalogue_client.sources.ports import Endpoint
from common.errors import (
    AddressRefused,
    InvalidInput,
    ProviderNonsense,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
)
from common.guard import target_of
from common.http import Limits, Response, fetch
from common.xml import Element, parse

SECONDS = 20.0  # one visit, all its questions together, unless `within` says less
MOST_QUESTIONS = 40
MOST_BYTES = 10 * 2**20
MOST_DEPTH = 50

_end: ContextVar[float] = ContextVar("end of patience", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All questions asked inside together take at most so long."""
    token = _end.set(min(_end.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _end.reset(token)


class Visit:
    """A few questions to one catalogue. Credentials go to its origin, and so do all addresses that
    its documents name: another one is refused."""

    def __init__(
        self, endpoint: Endpoint, *, seconds: float = SECONDS, most: int = MOST_QUESTIONS
    ) -> None:
        self._endpoint = endpoint
        self._origin = target_of(endpoint.url).origin
        self._end = min(_end.get(), time.monotonic() + seconds)
        self._left = most

    def json(
        self, url: str, *, body: Mapping[str, Any] | None = None, accept: str = "application/json"
    ) -> tuple[dict[str, Any], str]:
        """The object at an address, and the address after redirects; with a body it is sent."""
        answer = self._ask(url, accept, None if body is None else orjson.dumps(body))
        return object_in(answer.body), answer.url

    def xml(self, url: str, *, accept: str = "application/xml") -> tuple[Element, str]:
        """The root element of the document at an address, and the address after redirects."""
        answer = self._ask(url, accept, None)
        return self.element_in(answer.body), answer.url

    def raw(self, url: str, *, accept: str) -> Response:
        """The answer as it came."""
        return self._ask(url, accept, None)

    def own(self, base: str, href: object) -> str:
        """The absolute address of something that a document at `base` names.

        Raises AddressRefused when it is at another origin than the catalogue.
        """
        if not isinstance(href, str) or not href:
            raise ProviderNonsense(_("The catalogue names an address that is none."))
        try:
            url = urljoin(base, href.strip()).partition("#")[0]
        except ValueError:
            raise ProviderNonsense(_("The catalogue names an address that is none.")) from None
        if not self.is_own(url):
            raise AddressRefused(
                _("The catalogue sends on to another server, which is not followed.")
            )
        return url

    def is_own(self, url: str) -> bool:
        """Whether an address is at the catalogue's origin."""
        try:
            return target_of(url).origin == self._origin
        except AddressRefused:
            return False

    @staticmethod
    def element_in(data: bytes) -> Element:
        try:
            return parse(data, what=_("the catalogue's answer"))
        except InvalidInput as error:
            raise ProviderNonsense(error.detail) from None

    def _ask(self, url: str, accept: str, body: bytes | None) -> Response:
        if not self.is_own(url):
            raise AddressRefused(
                _("The catalogue sends on to another server, which is not followed.")
            )
        left = self._end - time.monotonic()
        self._left -= 1
        if left <= 0 or self._left < 0:
            raise ProviderTimeout(_("The catalogue did not answer in time."))
        headers = {"Accept": accept, **dict(self._endpoint.headers)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        endpoint = self._endpoint
        answer = fetch(
            "GET" if body is None else "POST",
            url,
            headers=headers,
            body=body,
            auth=(endpoint.username, endpoint.password) if endpoint.username else None,
            origin=endpoint.url,
            limits=Limits(
                connect=min(5.0, left), read=min(15.0, left), total=left, max_bytes=MOST_BYTES
            ),
            by_user=endpoint.by_user,
        )
        return _successful(answer)


def with_parameters(url: str, parameters: Mapping[str, str]) -> str:
    """The address with these parameters, in place of those of the same name in any case."""
    parts = urlsplit(url)
    names = {name.lower() for name in parameters}
    kept = [
        pair
        for pair in parts.query.split("&")
        if pair and pair.partition("=")[0].lower() not in names
    ]
    added = urlencode(parameters, quote_via=quote, safe=",:/*")
    query = "&".join([*kept, added] if added else kept)
    return urlunsplit(parts._replace(query=query, fragment=""))


def object_in(data: bytes) -> dict[str, Any]:
    """The JSON object in an answer, with a bound on its nesting. Raises ProviderNonsense."""
    try:
        found = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        found = _lenient(data)
    if not isinstance(found, dict) or _deeper_than(found, MOST_DEPTH):
        raise ProviderNonsense(_("The catalogue's answer is no JSON object."))
    return found


def _lenient(data: bytes) -> object:
    """Texts with lone surrogates, which some servers write and orjson refuses; NaN is null."""
    try:
        return json.loads(data, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        raise ProviderNonsense(_("The catalogue's answer is not JSON.")) from None


def _deeper_than(value: object, most: int) -> bool:
    level = [value]
    for _depth in range(most):
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        level = inner
        if not level:
            return False
    return True


def _successful(answer: Response) -> Response:
    if 200 <= answer.status < 300:  # noqa: PLR2004 (HTTP)
        return answer
    texts = {
        401: _("The catalogue does not accept these credentials, or wants some."),
        403: _("The catalogue does not let the portal in."),
        404: _("The catalogue does not know this address."),
    }
    said = _("The catalogue refused the request (HTTP %(status)s).") % {"status": answer.status}
    text = texts.get(answer.status, said)
    if answer.status >= 500 or answer.status == 429:  # noqa: PLR2004 (HTTP)
        text = _("The catalogue is out of order at the moment (HTTP %(status)s).")
        raise ProviderUnreachable(text % {"status": answer.status}, http_status=answer.status)
    raise ProviderRefused(text, native_code="", locator="", http_status=answer.status)
