"""Connections below `common.http`: to checked addresses only, ended at a deadline, kept for reuse.

A deadline must hold against a far side that sends one byte now and then: no read time-out passes
then. So the sockets look at the clock before every read and write.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, cast

from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from common.errors import (
    AddressRefused,
    CertificateRefused,
    PortalError,
    ProviderNonsense,
    ProviderTimeout,
    ProviderUnreachable,
)
from common.guard import Target, addresses_of, check_address
from common.idle import Idle

# What is sent: as a whole, or piece by piece (then a header says how many bytes it is).
Body = bytes | Iterable[bytes] | None
KEEP_SECONDS = 30.0
KEEP_MOST = 128  # connections of this process


class _Timed(socket.socket):
    """Before each wait, shorten the socket's time-out to what is left of the call."""

    deadline = math.inf
    idle = 30.0

    def _arm(self, longest: float) -> None:
        left = min(longest, self.deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        self.settimeout(None if math.isinf(left) else left)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._arm(self.idle)
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self._arm(self.idle)
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        # On a plain socket the time-out is for the whole of the data, however large.
        self._arm(math.inf if self.deadline < math.inf else self.idle)
        super().sendall(*args, **kwargs)


class TimedSocket(_Timed):
    """A TCP connection with a deadline."""


class TimedTLSSocket(_Timed, ssl.SSLSocket):
    """A TLS connection with a deadline."""


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, certificates checked against the system's (SSL_CERT_FILE is respected)."""
    context = ssl.create_default_context()
    context.sslsocket_class = TimedTLSSocket
    return context


@lru_cache(maxsize=1)
def any_certificate() -> ssl.SSLContext:
    """TLS with whatever certificate, for who looks at its fingerprint before sending anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.sslsocket_class = TimedTLSSocket
    return context


class _Dialled:
    """Mixed into urllib3's connections: the socket comes from `dial`, not from another look-up."""

    dial: Callable[[], socket.socket]

    def _new_conn(self) -> socket.socket:
        return self.dial()


class _PlainConnection(_Dialled, HTTPConnection):
    pass


class _TLSConnection(_Dialled, HTTPSConnection):
    pass


class ConnectionLost(ProviderTimeout):
    """The connection broke after sending: as unknown an outcome as a time-out."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to connect, seconds of silence, and the end of it all on the monotonic clock."""

    connect: float
    idle: float
    deadline: float = math.inf


class Connection:
    """One connection to a checked address, used by one request at a time.

    `pin` is the SHA-256 (hex) of the only certificate accepted: then it counts whose certificate
    it is, not who signed it or until when. "" for any that is valid.
    """

    def __init__(self, target: Target, patience: Patience, pin: str = "") -> None:
        """Connect. Raises AddressRefused, or ProviderUnreachable: nothing was sent yet."""
        self.target = target
        self.pin = pin
        self.since = time.monotonic()
        places = addresses_of(target)
        context = any_certificate() if pin else tls_context()
        self._http = _http_connection(target, lambda: _dial(places, patience), context)
        try:
            self._http.connect()
            self._sock = cast(_Timed, self._http.sock)
            self.peer = ip_address(self._sock.getpeername()[0])  # fails if it is gone again
        except (OSError, HTTPError, http.client.HTTPException):
            self.close()
            raise ProviderUnreachable from None
        if pin and _fingerprint(self._sock) != pin.lower():
            self.close()
            raise CertificateRefused

    def ask(
        self, method: str, headers: Mapping[str, str], body: Body, patience: Patience
    ) -> HTTPResponse:
        """Send a request and read the head of the answer; its body is still to come.

        Raises ProviderTimeout (ConnectionLost when it broke), ProviderNonsense, and what the body
        raises when it cannot go on: the far side then never gets the whole of it.
        """
        self._sock.deadline, self._sock.idle = patience.deadline, patience.idle
        self._http.timeout = patience.idle
        try:
            # A server may answer (413) and close before it has read everything: look for that.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._http.request(
                    method, self.target.path, body=body, headers=headers, preload_content=False
                )
            return self._http.getresponse()
        except TimeoutError:
            self.close()
            raise ProviderTimeout from None
        except (OSError, http.client.ResponseNotReady):
            self.close()
            raise ConnectionLost from None
        except (http.client.HTTPException, HTTPError, ValueError):
            self.close()
            raise ProviderNonsense(_("The provider's answer is not HTTP.")) from None
        except PortalError:
            self.close()
            raise

    def usable(self) -> bool:
        """Whether the far side still keeps it open, and the operator still allows the address."""
        if time.monotonic() - self.since > KEEP_SECONDS or not self._http.is_connected:
            return False
        try:
            check_address(self.target, str(self.peer))
        except AddressRefused:
            return False
        return True

    def keep(self) -> None:
        """Remember it for the next request; the answer was read to its end."""
        if self._http.sock is not None:
            self.since = time.monotonic()
            _idle.put(_purpose(self.target, self.pin), self)

    def close(self) -> None:
        """Also what an answer that is still coming reads from."""
        self._http.close()
        sock = getattr(self, "_sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def send(
    target: Target,
    method: str,
    headers: Mapping[str, str],
    body: Body,
    patience: Patience,
    pin: str = "",
) -> tuple[HTTPResponse, Connection]:
    """Send one request, on a kept connection where that cannot make the outcome doubtful.

    GET and HEAD may be repeated, so a kept connection that turns out to be dead is replaced by a
    new one. Everything else goes over a new connection and is sent once.
    """
    connection = _idle.take(_purpose(target, pin)) if method in ("GET", "HEAD") else None
    if connection is not None:
        connection.target = target
        with contextlib.suppress(ConnectionLost):
            return connection.ask(method, headers, body, patience), connection
    connection = Connection(target, patience, pin)
    return connection.ask(method, headers, body, patience), connection


_idle: Idle[Connection] = Idle(KEEP_MOST)


def _purpose(target: Target, pin: str) -> tuple[object, ...]:
    """What a connection may be used for besides what it was made for."""
    return target.origin, pin, target.by_user


def fingerprint_of(target: Target, patience: Patience) -> str:
    """See `common.http.certificate_of`."""
    places = addresses_of(target)
    try:
        with (
            _dial(places, patience) as sock,
            any_certificate().wrap_socket(sock, server_hostname=target.host) as secured,
        ):
            return _fingerprint(secured)
    except OSError:
        raise ProviderUnreachable from None


def _fingerprint(sock: socket.socket) -> str:
    shown = sock.getpeercert(binary_form=True) if isinstance(sock, ssl.SSLSocket) else None
    return hashlib.sha256(shown).hexdigest() if shown else ""


def _http_connection(
    target: Target, dial: Callable[[], socket.socket], context: ssl.SSLContext
) -> _PlainConnection | _TLSConnection:
    connection: _PlainConnection | _TLSConnection
    if target.scheme == "https":
        connection = _TLSConnection(target.host, target.port, ssl_context=context)
    else:
        connection = _PlainConnection(target.host, target.port)
    connection.dial = dial
    return connection


def _dial(places: list[tuple[Any, ...]], patience: Patience) -> socket.socket:
    """The first of the checked addresses that answers; the last error when none does."""
    failure: OSError = OSError("no address")
    for family, kind, protocol, _name, place in places:
        left = min(patience.connect, patience.deadline - time.monotonic())
        if left <= 0:
            break
        sock = TimedSocket(family, kind, protocol)
        sock.settimeout(left)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(place)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure
