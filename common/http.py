"""The only way out to the network: guarded, bounded in time and size, with headers of our own.

    answer = fetch("GET", url, origin=provider.url, auth=(user, password))
    with stream("GET", url, headers={"Range": "bytes=0-99"}) as answer:
        for chunk in answer.iter_bytes(): ...

What went wrong is told apart by what may have happened at the far side:

    AddressRefused        the guard did not let this address be called
    ProviderUnreachable   certainly nothing of the request arrived: safe to send again
    ProviderTimeout       something may have arrived: the outcome is unknown
    ProviderNonsense      an answer came that is too large, or is not HTTP
"""

from __future__ import annotations

import base64
import http.client
import logging
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from urllib.parse import urldefrag, urljoin

from django.utils.translation import gettext as _
from urllib3.exceptions import DecodeError, HTTPError
from urllib3.response import HTTPResponse

from common import VERSION, wire
from common.errors import (
    AddressRefused,
    InvalidInput,
    ProviderNonsense,
    ProviderTimeout,
)
from common.guard import Target, is_public, target_of

log = logging.getLogger(__name__)

_FOLLOWED = frozenset({"GET", "HEAD"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What may go to another origin than the one that credentials belong to.
_HARMLESS = frozenset(
    {"accept", "accept-encoding", "accept-language", "content-type", "if-none-match", "range"}
)
# For nobody behind us.
_NOT_PASSED_ON = frozenset({"set-cookie", "connection", "keep-alive", "transfer-encoding"})

PIECE = 256 * 1024  # bytes that are read, and passed on, at a time


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to connect, between two pieces of data, and in all; bytes after decompression."""

    connect: float = 5.0
    read: float = 30.0
    total: float | None = 60.0
    max_bytes: int | None = 8 * 2**20
    max_redirects: int = 3


FETCHING = Limits()
# For what is passed on piece by piece: as long and as large as it is, while it keeps coming.
STREAMING = Limits(read=60.0, total=None, max_bytes=None)


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer; header names in lower case, the body decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class StreamedResponse:
    """An answer whose body is still coming; close it (or use `with`) in any case."""

    def __init__(
        self, response: HTTPResponse, connection: wire.Connection, max_bytes: int | None
    ) -> None:
        self._response = response
        self._connection = connection
        self._max_bytes = max_bytes
        self._complete = False
        self._encoded = "content-encoding" in response.headers
        self.status: int = response.status
        self.headers: Mapping[str, str] = _passed_on(response)
        self.url, self.peer = connection.target.url, connection.peer

    def iter_bytes(self, chunk: int = PIECE) -> Iterator[bytes]:
        """The body, decompressed, in pieces of at most `chunk` bytes, each as soon as it is there.

        Raises ProviderTimeout when it stops coming or breaks off, ProviderNonsense above the limit.
        """
        left = math.inf if self._max_bytes is None else self._max_bytes
        if (self._response.length_remaining or 0) > left:
            raise self._too_large()
        while data := self._read(chunk):
            left -= len(data)
            if left < 0:
                raise self._too_large()
            yield data
        self._complete = True
        self._connection.keep()

    def close(self) -> None:
        """Let go of the connection; one whose answer was not read to its end cannot be reused."""
        if not self._complete:
            self._connection.close()

    def __enter__(self) -> StreamedResponse:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, chunk: int) -> bytes:
        try:
            if self._encoded:
                return self._response.read(chunk)
            # What has arrived, without a copy in between.
            return self._response.read1(chunk, decode_content=False)
        except DecodeError:
            self.close()
            raise ProviderNonsense(_("The provider's answer is damaged.")) from None
        except (HTTPError, http.client.HTTPException, OSError, ValueError):
            self.close()
            raise ProviderTimeout(_("The provider's answer broke off or took too long.")) from None

    def _too_large(self) -> ProviderNonsense:
        self.close()
        return ProviderNonsense(_("The provider's answer is larger than allowed."))


@dataclass(frozen=True, slots=True)
class _Request:
    """What is sent, to whichever address: `private` headers go to `origin` alone."""

    method: str
    public: Mapping[str, str]
    private: Mapping[str, str]
    origin: tuple[str, str, int]
    body: wire.Body
    certificate: str
    by_user: bool = False

    def headers_for(self, target: Target) -> dict[str, str]:
        own = self.private if target.origin == self.origin else {}
        return {**self.public, **own}

    def pin_for(self, target: Target) -> str:
        """The origin must show its fixed certificate, without TLS too: it then shows none."""
        return self.certificate if target.origin == self.origin else ""


def fetch(  # noqa: PLR0913 (a request has this many parts; all are named)
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    auth: tuple[str, str] | None = None,
    origin: str = "",
    certificate: str = "",
    limits: Limits = FETCHING,
    by_user: bool = False,
) -> Response:
    """Send one request and read the whole answer.

    `auth` (user, password) and all but a few harmless `headers` go to the scheme, host and port of
    `origin` alone ("": those of `url`). With `certificate` (SHA-256 in hex) the origin must show
    that one: it is accepted whoever signed it, and no other is. Redirects are followed for GET and
    HEAD only, each checked like the first address; other methods get the redirect as the answer.
    Nothing but GET and HEAD is ever sent twice. `by_user`: see `common.guard.Target`.
    Raises AddressRefused, ProviderUnreachable, ProviderTimeout, ProviderNonsense.
    """
    given = {"Accept-Encoding": "gzip", **(headers or {})}
    request = _request(method, given, body, auth, origin or url, certificate)
    with _ask(replace(request, by_user=by_user), url, limits) as answer:
        data = b"".join(answer.iter_bytes())
        return Response(answer.status, answer.headers, data, answer.url)


def stream(  # noqa: PLR0913 (as above)
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: wire.Body = None,
    auth: tuple[str, str] | None = None,
    origin: str = "",
    certificate: str = "",
    limits: Limits = STREAMING,
) -> StreamedResponse:
    """Send one request, and hand out the answer, piece by piece; otherwise as `fetch`.

    Size and total time are limited only if `limits` says so; a silence of `limits.read` ends it.
    """
    given = {"Accept-Encoding": "identity", **(headers or {})}
    return _ask(_request(method, given, body, auth, origin or url, certificate), url, limits)


def certificate_of(url: str, *, limits: Limits = FETCHING) -> str:
    """SHA-256 (hex) of the certificate that a server shows at present, whoever signed it.

    Raises AddressRefused, also for http://; ProviderUnreachable.
    """
    target = target_of(url)
    if target.scheme != "https":
        raise AddressRefused(_("Only an address with https:// has a certificate."))
    return wire.fingerprint_of(target, wire.Patience(limits.connect, limits.read))


def _ask(request: _Request, url: str, limits: Limits) -> StreamedResponse:
    """Send the request, and again to where a redirect points."""
    end = math.inf if limits.total is None else time.monotonic() + limits.total
    patience = wire.Patience(limits.connect, limits.read, end)
    for _hop in range(limits.max_redirects + 1):
        to_call = target_of(url, by_user=request.by_user)
        answer = _send(request, to_call, patience, limits.max_bytes)
        location = answer.headers.get("location")
        if answer.status not in _REDIRECTS or not location or request.method not in _FOLLOWED:
            return answer
        # Whoever is out there does not send us inside.
        request = replace(request, by_user=request.by_user or is_public(answer.peer))
        answer.close()
        try:
            to = urldefrag(urljoin(url, location)).url
        except ValueError:
            raise ProviderNonsense(_("The provider redirects to no address.")) from None
        # After joining, which reads a scheme with tabs in it too.
        if target_of(url).scheme == "https" and target_of(to).scheme != "https":
            raise AddressRefused(_("The provider redirects to an unprotected address."))
        url = to
    raise ProviderNonsense(_("The provider redirects too often."))


def _send(
    request: _Request, target: Target, patience: wire.Patience, max_bytes: int | None
) -> StreamedResponse:
    started = time.monotonic()
    outcome: object = "failed"
    try:
        response, connection = wire.send(
            target,
            request.method,
            request.headers_for(target),
            request.body,
            patience,
            request.pin_for(target),
        )
        outcome = response.status
        return StreamedResponse(response, connection, max_bytes)
    finally:
        spent = (time.monotonic() - started) * 1000
        log.info("outbound %s %s %s %.0f ms", request.method, target.host, outcome, spent)


def _request(
    method: str,
    headers: Mapping[str, str],
    body: wire.Body,
    auth: tuple[str, str] | None,
    origin: str,
    certificate: str,
) -> _Request:
    """The header set from nothing: what the caller gave, and what every request has."""
    public = {"Accept": "*/*", "User-Agent": f"tep-portal/{VERSION}"}
    private: dict[str, str] = {}
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or re.search(r"[\x00-\x1f\x7f]", value):
            raise InvalidInput(_("This header cannot be sent."), locator=name)
        (public if name.lower() in _HARMLESS else private)[name.title()] = value
    if auth is not None:
        token = base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
        private["Authorization"] = f"Basic {token}"
    return _Request(method.upper(), public, private, target_of(origin).origin, body, certificate)


def _passed_on(response: HTTPResponse) -> dict[str, str]:
    """The answer's headers; those that were only true of the compressed body are left out."""
    left_out = set(_NOT_PASSED_ON)
    if "content-encoding" in response.headers:
        left_out |= {"content-encoding", "content-length"}
    return {
        name.lower(): value
        for name, value in response.headers.items()
        if name.lower() not in left_out
    }
