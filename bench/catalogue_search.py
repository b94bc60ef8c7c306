"""Searches of the catalogue over HTTP: milliseconds at 10,000 and 100,000 items on both databases.

One process of the portal each, asked in turn, medians; printed are the growth from the smaller to
the larger catalogue and how SQLite compares with PostgreSQL. BENCH_ITEMS=10000,1000000 takes other
sizes. To compare with another server, fill it with `python -m bench._catalogue_seed lines 100000`
(stac-fastapi-pgstac: `pypgstac load items`), start one process of it, and name it:
BENCH_STAC_URL=http://127.0.0.1:8082.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import quote

import psycopg
import urllib3

from bench._catalogue_seed import COLLECTION

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
SIZES = [int(n) for n in os.environ.get("BENCH_ITEMS", "10000,100000").split(",")]
OTHER = os.environ.get("BENCH_STAC_URL", "")
ROUNDS = 15
_POOL = urllib3.PoolManager()
TRIANGLE = {"type": "Polygon", "coordinates": [[[0, 40], [20, 40], [10, 60], [0, 40]]]}
PERIOD = "2021-01-01T00:00:00Z/2022-12-31T00:00:00Z"
SEARCHES = {
    "box and time": f"/search?bbox=0,0,90,60&datetime={PERIOD}&limit=100",
    "small empty box": "/search?bbox=0.001,-89.9,0.002,-89.8&limit=100",
    "property filter": "/search?limit=100&filter-lang=cql2-text&filter="
    + quote("eo:cloud_cover < 10"),
    "rare property": "/search?limit=100&filter-lang=cql2-text&filter="
    + quote("eo:cloud_cover < 0.5 AND platform = 'landsat-8'"),
    "intersects": f"/search?limit=100&intersects={quote(json.dumps(TRIANGLE))}",
    "newest 100": f"/search?limit=100&collections={COLLECTION}",
    "item by id": f"/collections/{COLLECTION}/items/S2_0000123",
}


def main() -> None:
    with ExitStack() as stack:
        servers: dict[str, str] = {}
        for size in SIZES:
            for database, url in stack.enter_context(_databases(size)):
                _run(url, "-m", "manage", "migrate", "--skip-checks", "--verbosity", "0")
                _run(url, "-m", "bench._catalogue_seed", "portal", str(size))
                servers[f"{database} {size}"] = stack.enter_context(_portal(url))
        compare(servers | ({"other": OTHER} if OTHER else {}))


def compare(servers: dict[str, str]) -> None:
    """Every search at every server in turn; a line for each search."""
    for name, path in SEARCHES.items():
        times: dict[str, list[float]] = {server: [] for server in servers}
        for _ in range(ROUNDS):
            for server, base in servers.items():
                times[server].append(_seconds(f"{base}{path}"))
        middle = {server: median(taken[2:]) for server, taken in times.items()}
        told = ", ".join(f"{server} {1000 * taken:.1f} ms" for server, taken in middle.items())
        print(f"{name:16} {told}{_ratios(middle)}", flush=True)


def _ratios(middle: dict[str, float]) -> str:
    small, large = SIZES[0], SIZES[-1]
    pairs = [
        (f"growth on {database}", f"{database} {large}", f"{database} {small}")
        for database in ("SQLite", "PostgreSQL")
    ]
    pairs.append(("SQLite to PostgreSQL", f"SQLite {large}", f"PostgreSQL {large}"))
    pairs.append(("PostgreSQL to the other", f"PostgreSQL {large}", "other"))
    pairs.append(("SQLite to the other", f"SQLite {large}", "other"))
    told = [
        f"{text} {middle[one] / middle[two]:.2f}"
        for text, one, two in pairs
        if one in middle and two in middle and one != two
    ]
    return f" | ratios: {', '.join(told)} | load average {os.getloadavg()[0]:.1f}"


def _seconds(address: str) -> float:
    start = time.perf_counter()
    answer = _POOL.request("GET", address, timeout=120, retries=False)
    taken = time.perf_counter() - start
    if answer.status != 200:
        raise SystemExit(f"{address} answers {answer.status}: {answer.data[:300]!r}")
    return taken


@contextmanager
def _databases(size: int) -> Iterator[list[tuple[str, str]]]:
    """A database of each kind that there is, of this run's own."""
    with tempfile.TemporaryDirectory() as folder:
        found = [("SQLite", f"sqlite:///{Path(folder) / 'bench.sqlite3'}")]
        name = f"bench_catalogue_{os.getpid()}_{size}"
        libpq = SERVER.replace("postgres://", "postgresql://")
        try:
            server = psycopg.connect(libpq, autocommit=True, connect_timeout=3)
        except psycopg.OperationalError as error:
            print(f"PostgreSQL does not answer: {str(error).strip()}")
            yield found
            return
        with server:
            server.execute(f"CREATE DATABASE {name}")
            try:
                yield [*found, ("PostgreSQL", f"{SERVER.rpartition('/')[0]}/{name}")]
            finally:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _portal(url: str) -> Iterator[str]:
    """The address of a portal's STAC API in one process on that database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-b", address, "--log-level", "error", "portal.wsgi"],
        env=_environment(url),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(f"http://{address}/stac")
        yield f"http://{address}/stac"
    finally:
        process.terminate()
        process.wait()


def _wait(base: str) -> None:
    for _ in range(300):
        try:
            _seconds(f"{base}/")
        except (OSError, urllib3.exceptions.HTTPError):
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the portal does not start")


def _run(url: str, *command: str) -> None:
    subprocess.run([sys.executable, *command], env=_environment(url), check=True)


def _environment(url: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
    return kept | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "portal.settings.demo"}


if __name__ == "__main__":
    main()
