"""Clients of the broker's benchmarks, in a process of their own.

python -m bench._broker_load <port> <clients> <requests in all> <file with the request's bytes>

Every client has one connection and sends the request again as soon as it has the answer. Prints
`<seconds> <median ms> <95th percentile ms> <answers by status and number, as 200:50>`.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Client:
    def __init__(self, port: int, request: bytes) -> None:
        self.port = port
        self.request = request
        self.times: list[float] = []
        self.statuses: Counter[str] = Counter()
        self._sock: socket.socket | None = None

    def run(self, left: threading.Semaphore) -> None:
        while left.acquire(blocking=False):
            start = time.perf_counter()
            self.statuses[self._ask()] += 1
            self.times.append(time.perf_counter() - start)

    def _ask(self) -> str:
        try:
            if self._sock is None:
                self._sock = socket.create_connection(("127.0.0.1", self.port), timeout=120)
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sock.sendall(self.request)
            return self._read(self._sock)
        except OSError as error:
            self._sock = None
            return type(error).__name__

    def _read(self, sock: socket.socket) -> str:
        data = b""
        while b"\r\n\r\n" not in data:
            data += (got := sock.recv(65536))
            if not got:
                raise ConnectionResetError
        head, _, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        left = (int(length[1]) if length else 0) - len(body)
        while left > 0:
            left -= (got := len(sock.recv(min(left, 2**20))))
            if not got:
                raise ConnectionResetError
        if b"\r\nconnection: close" in head.lower():
            sock.close()
            self._sock = None
        return head.split(b" ", 2)[1].decode()


def main() -> None:
    port, clients, requests, path = sys.argv[1:5]
    request = Path(path).read_bytes()
    everyone = [Client(int(port), request) for _ in range(int(clients))]
    left = threading.Semaphore(int(requests))
    threads = [threading.Thread(target=one.run, args=(left,)) for one in everyone]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    times = sorted(one for client in everyone for one in client.times)
    statuses = sum((one.statuses for one in everyone), Counter[str]())
    told = ",".join(f"{status}:{number}" for status, number in sorted(statuses.items()))
    shown = [f"{times[int(len(times) * part)] * 1000:.2f}" for part in (0.5, 0.95)]
    print(f"{seconds:.4f}", *shown, told)


if __name__ == "__main__":
    main()
