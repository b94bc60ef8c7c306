"""An HTTP server on 127.0.0.1 that answers what a test tells it to, well or badly.

with ScriptedServer() as server:
    server.reply("any", Reply(200, b"hello"))
    server.reply("any", Reply(body=[b"x"] * 100, pause=0.1), times=None)    # a drip, for ever
    …
    server.received[0].headers["authorization"]
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from lxml import etree


@dataclass
class Reply:
    """One answer. A body of several chunks is sent without a length, until it ends or never."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0  # seconds before anything is sent
    pause: float = 0.0  # seconds after each chunk
    cut: bool = False  # announce more than is sent, then hang up
    hang_up: bool = False  # close without any answer
    after: bool = False  # do the real work first, then answer so (a lost answer)


@dataclass(frozen=True)
class Received:
    """A request as it arrived; header names in lower case, `target` byte for byte."""

    kind: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def reference(self) -> str:
        """The portal's job identifier."""
        return self.headers.get("x-remote-ref", "")

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """First values; names in lower case."""
        parsed = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name.lower(): values[0] for name, values in parsed.items()}

    @property
    def xml(self) -> Any:
        return etree.fromstring(self.body)


class ScriptedServer:
    """Answers by script, then by `work`. Every kind of request has its own script."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.port = 0
        self._scripts: dict[str, deque[tuple[Reply, int | None]]] = defaultdict(deque)
        self._lock = threading.RLock()
        self._server: _Server | None = None

    def kind_of(self, method: str, target: str) -> str:
        """The name under which such a request is scripted and counted."""
        del method, target
        return "any"

    def work(self, got: Received) -> Reply:
        """The answer when no script says otherwise."""
        del got
        return Reply(404, b"nothing here")

    def reply(self, kind: str, *replies: Reply, times: int | None = 1) -> None:
        """Answer the next `times` requests of a kind with each of these; None: all of them."""
        with self._lock:
            self._scripts[kind].extend((reply, times) for reply in replies)

    def restore(self, kind: str = "") -> None:
        """Forget the replies that are still waiting."""
        with self._lock:
            for one in [kind] if kind else list(self._scripts):
                self._scripts[one].clear()

    def requests(self, kind: str) -> list[Received]:
        with self._lock:
            return [one for one in self.received if one.kind == kind]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._server = _Server(self, self.port)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Go away: no listener, open connections broken. `start` comes back at the same port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.drop_connections()
            self._server = None

    def answer(self, got: Received) -> Reply:
        with self._lock:
            self.received.append(got)
            scripted = self._next(got.kind)
            if scripted is not None and not scripted.after:
                return scripted
            true = self.work(got)
            return scripted or true

    def _next(self, kind: str) -> Reply | None:
        script = self._scripts[kind]
        if not script:
            return None
        reply, times = script.popleft()
        if times is None or times > 1:
            script.appendleft((reply, None if times is None else times - 1))
        return reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, script: ScriptedServer, port: int) -> None:
        self.script = script
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def parse_request(self) -> bool:
        """One handler for every method."""
        parsed = super().parse_request()
        if parsed:
            setattr(self, f"do_{self.command}", self._serve)
        return parsed

    def _serve(self) -> None:
        script = self.server.script
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:  # the caller hung up in the middle
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        kind = script.kind_of(self.command, self.path)
        self._send(script.answer(Received(kind, self.command, self.path, headers, body)))

    def _send(self, reply: Reply) -> None:
        time.sleep(reply.delay)
        if reply.hang_up:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        chunks = [reply.body] if isinstance(reply.body, bytes) else reply.body
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes):
            self.send_header("Content-Length", str(len(reply.body) + (1000 if reply.cut else 0)))
        if reply.cut or not isinstance(reply.body, bytes):
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(chunk)
            self.wfile.flush()
            time.sleep(reply.pause)
