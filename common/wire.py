"""Connections below `common.http`: to checked addresses only, ended at a deadline, kept for reuse.

A deadline must hold against a far side that sends one byte now and then: such a drip never lets a
read time-out pass. So the sockets themselves look at the clock before every read and write.
"""

from __future__ import annotations

import contextlib
import http.client
import math
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from common.errors import AddressRefused, ProviderNonsense, ProviderTimeout, ProviderUnreachable
from common.guard import Target, addresses_of, check_address

KEEP_SECONDS = 30.0
KEEP_MOST = 16  # connections per thread


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
    """One connection to a checked address, used by one request at a time."""

    def __init__(self, target: Target, patience: Patience) -> None:
        """Connect. Raises AddressRefused, or ProviderUnreachable: nothing was sent yet."""
        self.target = target
        self.since = time.monotonic()
        places = addresses_of(target)
        self._http = _http_connection(target, lambda: _dial(places, patience))
        try:
            self._http.connect()
        except (OSError, HTTPError, http.client.HTTPException):
            self.close()
            raise ProviderUnreachable from None
        self._sock = cast(_Timed, self._http.sock)

    def ask(
        self, method: str, headers: Mapping[str, str], body: bytes | None, patience: Patience
    ) -> HTTPResponse:
        """Send a request and read the head of the answer; its body is still to come.

        Raises ProviderTimeout (ConnectionLost when it broke), ProviderNonsense.
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

    def usable(self) -> bool:
        """Whether the far side still keeps it open, and the operator still allows the address."""
        if time.monotonic() - self.since > KEEP_SECONDS or not self._http.is_connected:
            return False
        try:
            check_address(self.target, self._sock.getpeername()[0])
        except (AddressRefused, OSError):
            return False
        return True

    def keep(self) -> None:
        """Remember it for the thread's next request; the answer was read to its end."""
        if self._http.sock is not None:
            self.since = time.monotonic()
            _kept.put(self)

    def close(self) -> None:
        """Also what an answer that is still coming reads from."""
        self._http.close()
        sock = getattr(self, "_sock", None)
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Kept(threading.local):
    """Idle connections of this thread; none of another process's after a fork."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.connections: dict[tuple[str, str, int], Connection] = {}

    def take(self, target: Target) -> Connection | None:
        if self.process != os.getpid():
            self.process, self.connections = os.getpid(), {}
        connection = self.connections.pop(target.origin, None)
        if connection is None or connection.usable():
            return connection
        connection.close()
        return None

    def put(self, connection: Connection) -> None:
        replaced = self.connections.pop(connection.target.origin, None)
        self.connections[connection.target.origin] = connection
        if replaced is None and len(self.connections) > KEEP_MOST:
            replaced = self.connections.pop(next(iter(self.connections)))
        if replaced is not None:
            replaced.close()


_kept = _Kept()


def send(
    target: Target,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    patience: Patience,
) -> tuple[HTTPResponse, Connection]:
    """Send one request, on a kept connection where that cannot make the outcome doubtful.

    GET and HEAD may be repeated, so a kept connection that turns out to be dead is replaced by a
    new one. Everything else goes over a new connection and is sent once.
    """
    connection = _kept.take(target) if method in ("GET", "HEAD") else None
    if connection is not None:
        connection.target = target
        with contextlib.suppress(ConnectionLost):
            return connection.ask(method, headers, body, patience), connection
    connection = Connection(target, patience)
    return connection.ask(method, headers, body, patience), connection


def _http_connection(
    target: Target, dial: Callable[[], socket.socket]
) -> _PlainConnection | _TLSConnection:
    connection: _PlainConnection | _TLSConnection
    if target.scheme == "https":
        connection = _TLSConnection(target.host, target.port, ssl_context=tls_context())
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
