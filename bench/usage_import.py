"""Usage messages of 1,000 records on both databases, every commit durable: records per second.

Side by side: the portal's importer, which parses, stores, matches, prices and posts (each record is
of a job of its own that waits for it with a hold, all on one account); and loaders that parse and
store only, by one `save()` each and by one upsert. Then two of the portal's importers at once, as
two deliveries over HTTP are or the queues of two providers, with the same jobs' account. Then the
memory that many messages take: BENCH_RECORDS=1000000 for a million records.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "5"))
ROUNDS = 3
LOADERS = ("ours", "plain", "upsert")
RECORDS = int(os.environ.get("BENCH_RECORDS", "50000"))
PER_MESSAGE = 1000
AIM = 10_000
Client = subprocess.Popen[str]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
    try:
        with _database() as url:
            _measure("PostgreSQL", url)
    except psycopg.OperationalError as error:
        _say(f"PostgreSQL does not answer: {str(error).strip()}")


def _measure(database: str, url: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "manage", "migrate", "--skip-checks", "--verbosity", "0"],
        env=_environment(url),
        check=True,
    )
    clients: list[Client] = []
    try:
        clients = [_client(url, "first"), _client(url, "second")]
        _compare(database, clients)
        messages = RECORDS // PER_MESSAGE
        start = time.perf_counter()
        early, late = map(int, _ask(clients[0], f"memory {messages}").split())
        rate = RECORDS / (time.perf_counter() - start)
        told = f"{late} MB at most, ratio {late / max(early, 1):.2f}, {rate:.0f} records/s"
        _say(f"{database:10} {RECORDS} records: {told}")
    finally:
        for client in clients:
            client.kill()
            client.communicate()


def _client(url: str, which: str) -> Client:
    client = subprocess.Popen(
        [sys.executable, "-m", "bench._usage_client"],
        env=_environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    _ask(client, which)
    return client


def _compare(database: str, clients: list[Client]) -> None:
    """Rounds in turn, so that what else the machine does weighs on all alike; medians."""
    rates: dict[str, list[float]] = {what: [] for what in (*LOADERS, "two")}
    cpu: list[float] = []
    for what in LOADERS:
        _load(clients, what, 1)  # what is only slow once
    for _ in range(ROUNDS):
        for what in LOADERS:
            rate, used = _load(clients[:1], what, MESSAGES)
            rates[what].append(rate)
            if what == "ours":
                cpu.append(used)
        rates["two"].append(_load(clients, "ours", MESSAGES)[0])
    ours = median(rates["ours"])
    told = f"{database:10} {ours:6.0f} records/s, ratio to {AIM}: {ours / AIM:.2f}"
    told += f", {1000 * median(cpu):.0f} ms of CPU for {PER_MESSAGE}"
    two = median(rates["two"])
    told += f" | two at once {two:.0f}/s, ratio to {AIM}: {two / AIM:.2f}"
    for what, name in (("plain", "save() each"), ("upsert", "one upsert")):
        ratio = median(a / b for a, b in zip(rates["ours"], rates[what], strict=True))
        told += f" | only stored, {name} {median(rates[what]):5.0f}/s, ratio {ratio:.2f}"
    _say(f"{told} | load average {os.getloadavg()[0]:.1f}")


def _load(clients: list[Client], what: str, messages: int) -> tuple[float, float]:
    """Records per second of all clients together, and CPU seconds for a message."""
    for client in clients:
        _ask(client, f"make {what} {messages}")
    for client in clients:
        _tell(client, "load")
    answers = [tuple(map(float, _answer(client).split())) for client in clients]
    loaded = len(clients) * messages
    seconds = max(answer[0] for answer in answers)
    return loaded * PER_MESSAGE / seconds, sum(answer[1] for answer in answers) / loaded


def _ask(client: Client, what: str) -> str:
    _tell(client, what)
    return _answer(client)


def _tell(client: Client, what: str) -> None:
    assert client.stdin is not None
    client.stdin.write(f"{what}\n")
    client.stdin.flush()


def _answer(client: Client) -> str:
    assert client.stdout is not None
    line = client.stdout.readline()
    if not line:
        raise SystemExit("the client of the benchmark died")
    return line.strip()


@contextmanager
def _database() -> Iterator[str]:
    """A database of this run's own."""
    name = f"bench_usage_{os.getpid()}"
    with psycopg.connect(_libpq(SERVER), autocommit=True, connect_timeout=3) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{SERVER.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _environment(url: str) -> dict[str, str]:
    # The demo's settings: unlike the tests', they let no commit be lost.
    kept = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
    return kept | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "portal.settings.demo"}


def _libpq(url: str) -> str:
    return url.replace("postgres://", "postgresql://")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
