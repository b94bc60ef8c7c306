"""Servers on 127.0.0.1 that behave as a test says, well or badly."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Behaviour = Callable[["Talk"], None]


@dataclass
class Talk:
    """One connection, seen from the server."""

    conn: socket.socket
    server: Served
    number: int

    def read(self) -> bytes:
        """The next request, head and body; b"" when the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.conn.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        while len(body) < length:
            body += self.conn.recv(65536)
        request = head + b"\r\n\r\n" + body
        self.server.requests.append(request)
        return request

    def answer(self, body: bytes = b"ok", status: str = "200 OK", **headers: str) -> None:
        """A complete answer with its length."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.conn.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def reset(self) -> None:
        """Break the connection with a RST."""
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.conn.close()


@dataclass
class Served:
    port: int
    scheme: str = "http"
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def heads(self) -> list[dict[str, str]]:
        """The headers of every request, names in lower case."""
        return [
            {
                name.lower(): value.strip()
                for name, _, value in (
                    line.partition(":")
                    for line in request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
                )
            }
            for request in self.requests
        ]


def always(body: bytes = b"ok", status: str = "200 OK", **headers: str) -> Behaviour:
    """Answers every request on a kept-alive connection the same way."""

    def behave(talk: Talk) -> None:
        while talk.read():
            talk.answer(body, status, **headers)

    return behave


@contextlib.contextmanager
def serve(behave: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[Served]:
    """Run a server whose connections each go to `behave`, in threads of their own."""
    listener = socket.create_server(("127.0.0.1", 0))
    served = Served(listener.getsockname()[1], "https" if tls else "http")

    def handle(conn: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            secured = tls.wrap_socket(conn, server_side=True) if tls else conn
            with secured:
                behave(Talk(secured, served, number))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                conn, _ = listener.accept()
                served.connections += 1
                args = (conn, served.connections)
                threading.Thread(target=handle, args=args, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield served
    finally:
        served.closing.set()
        listener.close()
