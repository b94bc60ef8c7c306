"""A large output (BENCH_OUTPUT_MB, 1024) through the portal, next to nginx as a plain proxy.

The provider sends it with sendfile. Rounds in turn; medians. Then what the portal's processes have
for themselves at most while it streams, and a range from its middle. Without nginx there is nothing
to compare with, and nothing is measured.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import time
from pathlib import Path
from statistics import median

import psycopg

from bench._broker_stage import Stage, free_port, say, stage

MEGABYTES = int(os.environ.get("BENCH_OUTPUT_MB", "1024"))
ROUNDS = 3
AIM = 0.6
AIM_MB = 30
RANGE = 1000  # bytes
EXECUTE = (
    "/wps?service=WPS&version=1.0.0&request=Execute&Identifier=bench.process-001"
    "&DataInputs=message=hello"
)
NGINX = """
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log; daemon off;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://127.0.0.1:{provider}; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_max_temp_file_size 0; }}
  }}
}}
"""


def main() -> None:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        say("skipped: nginx, which the portal is compared with, is not installed")
        return
    try:
        with stage() as on:
            _measure(on, nginx)
    except psycopg.OperationalError as error:
        say(f"PostgreSQL does not answer: {str(error).strip()}")


def _measure(on: Stage, nginx: str) -> None:
    file = on.folder / "output"
    with file.open("wb") as made:
        made.truncate(MEGABYTES * 2**20)
    on.start_provider(file=file)
    on.seed()
    on.start_web()
    proxy = free_port()
    configuration = on.folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(folder=on.folder, port=proxy, provider=on.provider), encoding="utf-8"
    )
    on.start("nginx", nginx, "-c", str(configuration), port=proxy)
    _etag, answer = on.get(on.web, EXECUTE)
    found = re.search(rb'href="http://[^/]+(/wps/jobs/[^"]+/outputs/\d+)"', answer)
    if found is None:
        raise SystemExit(answer.decode()[:2000])
    path = found[1].decode()
    ours, theirs = on.request(on.web, path), on.request(proxy, "/file")
    _once(on, on.web, on.request(on.web, path, "Range: bytes=0-999"))  # what is only slow once
    before = on.memory("web")
    with _Watch(on) as watch:
        rates = [(_once(on, on.web, ours), _once(on, proxy, theirs)) for _ in range(ROUNDS)]
    portal, plain = (median(side) for side in zip(*rates, strict=True))
    ratio = median(a / b for a, b in rates)
    grown = (watch.most - before) / 2**20
    say(
        f"{MEGABYTES} MB: portal {portal:.0f} MB/s, nginx {plain:.0f} MB/s, ratio {ratio:.2f}"
        f" (aim {AIM}); {grown:+.1f} MB of memory at most (aim < {AIM_MB})"
    )
    middle = MEGABYTES * 2**19
    part = on.request(on.web, path, f"Range: bytes={middle}-{middle + RANGE - 1}")
    load = on.load(on.web, part, clients=1, requests=50)
    say(f"a range of {RANGE} bytes: {load.median:.1f} ms, answers {load.statuses}")


def _once(on: Stage, port: int, request: Path) -> float:
    """Megabytes per second of one transfer."""
    load = on.load(port, request, clients=1, requests=1)
    if load.statuses not in ("200:1", "206:1"):
        raise SystemExit(load.statuses)
    return MEGABYTES / load.seconds


class _Watch:
    """The most memory that a web process has for itself, looked at all the time."""

    def __init__(self, on: Stage) -> None:
        self.most = 0
        self._on = on
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._stop.is_set():
            self.most = max(self.most, self._on.memory("web"))
            time.sleep(0.1)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()


if __name__ == "__main__":
    main()
