"""Usage messages from a broker that speaks STOMP 1.2 (SSM's first transport).

The queue is drained, each message acknowledged by itself after its commit, and the connection
closed: reconnecting, with growing pauses, is the due table's business. `address` is host:port,
`destination` the queue (/queue/…). Options: `tls` (true or false), `tls_authorities` (PEM, for the
broker's certificate; the system's without it), `virtual_host` (/).
"""

from __future__ import annotations

import queue
import re
import tempfile
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import Any

import stomp
from django.utils.translation import gettext as _
from stomp.exception import StompException

from accounting.sources.contract import Delivery, Place
from common.errors import InvalidInput, ProviderRefused, ProviderUnreachable
from common.guard import Target, addresses_of

CONNECTED_WITHIN = 10.0  # seconds
DRAINED_AFTER = 1.0  # seconds without a message
DEFAULT_VIRTUAL_HOST = "/"  # RabbitMQ's; brokers without virtual hosts take anything
AT_ONCE = 20  # messages that the broker may send before one is acknowledged
MOST_WAITING = 3 * AT_ONCE
MOST_PINGS = 100  # in one go: whoever sends nothing else must not keep a worker
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>\d{1,5})")
_MOST_PORT = 65535
_OPTIONS = {"tls": bool, "tls_authorities": str, "virtual_host": str}


def check(place: Place) -> None:
    """A host with a port, and a queue."""
    _target(place)
    if not place.destination.strip() or re.search(r"[\x00-\x1f]", place.destination):
        raise InvalidInput(_("Name the queue, for example /queue/usage."), locator="destination")
    for name, value in place.options.items():
        if name not in _OPTIONS or not isinstance(value, _OPTIONS[name]):
            text = _("Options are tls (true or false), tls_authorities and virtual_host (texts).")
            raise InvalidInput(text, locator="options")


def deliveries(place: Place) -> Generator[Delivery, None, None]:
    """What is in the queue, until nothing came for a second."""
    target = _target(place)
    with _connected(place, target) as (connection, inbox):
        connection.subscribe(
            place.destination,
            id="usage",
            ack="client-individual",
            headers={"prefetch-count": str(AT_ONCE), "activemq.prefetchSize": str(AT_ONCE)},
        )
        pings = 0
        while pings < MOST_PINGS and (frame := inbox.next("MESSAGE", DRAINED_AFTER)) is not None:
            acknowledge = partial(_acknowledge, connection, frame.headers.get("ack", ""))
            if frame.headers.get("empa-id") == "ping":  # SSM asks whether we are there
                acknowledge()
                pings += 1
            else:
                yield Delivery(frame.body or b"", acknowledge)


class _Inbox(stomp.ConnectionListener):
    """Frames from the thread that reads the socket, for the one that works on them."""

    def __init__(self) -> None:
        # A broker that sends more than it may is no longer read, until it is given up.
        self._frames: queue.Queue[Any] = queue.Queue(maxsize=MOST_WAITING)
        self.on_connected = self.on_message = self.on_receipt = self.on_error = self._take

    def _take(self, frame: Any) -> None:
        self._frames.put(frame, timeout=CONNECTED_WITHIN)

    def on_disconnected(self) -> None:
        with suppress(queue.Full):  # who reads on finds that nothing follows
            self._frames.put_nowait(None)

    def next(self, command: str, seconds: float) -> Any:
        """The next frame of that kind; None when none came in time.

        Raises ProviderRefused when the broker says that something is wrong, ProviderUnreachable
        when the connection broke.
        """
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            try:
                frame = self._frames.get(timeout=left)
            except queue.Empty:
                break
            if frame is None:
                raise ProviderUnreachable(_("The broker closed the connection."))
            if frame.cmd == "ERROR":
                said = str(frame.headers.get("message", ""))[:200]
                raise ProviderRefused(_("The broker refuses: %(said)s") % {"said": said})
            if frame.cmd == command:
                return frame
        return None


@contextmanager
def _connected(place: Place, target: Target) -> Iterator[tuple[Any, _Inbox]]:
    # Without TLS exactly the address that the guard looked at is called; with it, the
    # certificate proves that whoever answers has the name.
    checked = addresses_of(target)[0][4]
    tls = target.scheme == "https"
    where = (target.host, target.port) if tls else (str(checked[0]), target.port)
    connection = stomp.StompConnection12(
        [where],
        prefer_localhost=False,
        try_loopback_connect=False,
        reconnect_attempts_max=1,
        timeout=CONNECTED_WITHIN,
        heartbeats=(0, 0),
        vhost=place.options.get("virtual_host") or DEFAULT_VIRTUAL_HOST,
        auto_decode=False,
    )
    inbox = _Inbox()
    connection.set_listener("usage", inbox)
    try:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as authorities:
            if tls:
                authorities.write(place.options.get("tls_authorities", ""))
                authorities.flush()
                given = authorities.name if authorities.tell() else None
                connection.set_ssl([where], ca_certs=given)
            connection.connect(place.username or None, place.secret or None)
            if inbox.next("CONNECTED", CONNECTED_WITHIN) is None:
                raise ProviderUnreachable(_("The broker does not answer."))
        yield connection, inbox
        _leave(connection, inbox)
    except StompException:
        raise ProviderUnreachable(_("The broker cannot be reached.")) from None
    finally:
        with suppress(Exception):  # it is gone, or was never there
            connection.transport.disconnect_socket()


def _leave(connection: Any, inbox: _Inbox) -> None:
    """Say good-bye and wait until the broker has read all that was acknowledged."""
    receipt = uuid.uuid4().hex
    connection.send_frame("DISCONNECT", {"receipt": receipt})
    with suppress(ProviderUnreachable):
        inbox.next("RECEIPT", CONNECTED_WITHIN)


def _acknowledge(connection: Any, ack: str) -> None:
    try:
        connection.ack(ack)
    except (StompException, OSError):
        # Already committed: it comes again, and is known then.
        raise ProviderUnreachable(_("The broker closed the connection.")) from None


def _target(place: Place) -> Target:
    """The broker, as the guard looks at addresses."""
    found = _ADDRESS.fullmatch(place.address.strip())
    if found is None or not 0 < int(found["port"]) <= _MOST_PORT:
        raise InvalidInput(_("This must be a host and a port: host:port."), locator="address")
    scheme = "https" if place.options.get("tls") else "http"
    host = found["host"].strip("[]").lower()
    return Target(scheme, host, int(found["port"]), "", f"{scheme}://{place.address}")
