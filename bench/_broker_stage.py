"""The stage of the broker's benchmarks: a database, a canned provider, the portal as it is run in
production, and what all of that costs in CPU."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import urllib3

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
FIRST_PORT = int(os.environ.get("BENCH_PORT", "18800"))
PROCESSES = int(os.environ.get("BENCH_PROCESSES", "500"))
WORKERS, THREADS, WAITING = 2, 40, 32  # as docs/operate.md says
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Load:
    """What the clients of one round saw."""

    requests: int
    seconds: float
    median: float
    late: float
    statuses: str

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass
class Stage:
    """Where everything is. CPU is counted for the web's processes and for the database's."""

    folder: Path
    database: str
    environment: dict[str, str]
    provider: int = 0
    web: int = 0
    key: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    database_seen: dict[int, float] = field(default_factory=dict)

    def start(self, name: str, *command: str, port: int = 0) -> None:
        """Start a process; with a port, wait until something listens there."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + 60
        while port and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.processes[name].poll() is not None:
                break
            time.sleep(0.05)
        if port:
            raise SystemExit((self.folder / f"{name}.log").read_text()[-4000:])

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()

    def python(self, *arguments: str) -> str:
        """Run `python -m …` to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout.strip()

    def start_provider(self, *, seconds: float = 0.0, file: Path | None = None) -> None:
        self.provider = free_port()
        self.start(
            "provider",
            *(sys.executable, "-m", "bench._broker_provider"),
            *(str(self.provider), str(PROCESSES), str(seconds), str(file or "/dev/null")),
            port=self.provider,
        )

    def seed(self) -> None:
        address = f"http://127.0.0.1:{self.provider}/wps"
        self.key = self.python("bench._broker_seed", address).splitlines()[-1]

    def start_web(self, *, workers: int = WORKERS, threads: int = THREADS) -> None:
        self.web = free_port()
        self.start(
            "web",
            *(sys.executable, "-m", "gunicorn", "portal.wsgi", "--worker-class", "gthread"),
            *("--workers", str(workers), "--threads", str(threads), "--no-control-socket"),
            *("--keep-alive", "30", "--bind", f"127.0.0.1:{self.web}"),
            port=self.web,
        )

    def start_worker(self) -> None:
        self.start("worker", sys.executable, "-m", "manage", "worker")

    def request(self, port: int, path: str, *headers: str, body: bytes = b"") -> Path:
        """The bytes of a request, in a file."""
        lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines += [f"Authorization: Bearer {self.key}", *headers]
        if body:
            lines += ["Content-Type: text/xml", f"Content-Length: {len(body)}"]
        file = self.folder / f"request-{time.monotonic_ns()}"
        file.write_bytes("\r\n".join([*lines, "", ""]).encode() + body)
        return file

    def load(self, port: int, request: Path, *, clients: int, requests: int) -> Load:
        told = self.python(
            "bench._broker_load", str(port), str(clients), str(requests), str(request)
        )
        seconds, median, late, statuses = told.split()
        return Load(requests, float(seconds), float(median), float(late), statuses)

    def get(self, port: int, path: str) -> tuple[str, bytes]:
        """One answer: its ETag and body."""
        answer = urllib3.request(
            "GET",
            f"http://127.0.0.1:{port}{path}",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=120,
        )
        if answer.status >= 400:
            raise SystemExit(f"{path}: {answer.status} {answer.data[:2000]!r}")
        return answer.headers.get("ETag", ""), answer.data

    def cpu(self, name: str) -> float:
        """Seconds of CPU that a process and its children have taken so far."""
        return sum(_cpu(pid) for pid in family(self.processes[name].pid))

    def database_cpu(self) -> float:
        """The same for the database's processes that serve us."""
        with psycopg.connect(libpq(self.database)) as own:
            rows = own.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            ).fetchall()
        self.database_seen |= {pid: _cpu(pid) for (pid,) in rows}
        return sum(self.database_seen.values())  # also of those that have ended meanwhile

    def memory(self, name: str) -> int:
        """Bytes that a process and its children have for themselves, the largest of them."""
        return max(_memory(pid) for pid in family(self.processes[name].pid))


@contextmanager
def stage() -> Iterator[Stage]:
    """An empty database of this run's own, migrated. Raises psycopg.OperationalError."""
    name = f"bench_broker_{os.getpid()}"
    with ExitStack() as undo:
        server = undo.enter_context(
            psycopg.connect(libpq(SERVER), autocommit=True, connect_timeout=3)
        )
        folder = Path(tempfile.mkdtemp(prefix="bench-broker-"))
        undo.callback(shutil.rmtree, folder, ignore_errors=True)
        server.execute(f"CREATE DATABASE {name}")
        undo.callback(server.execute, f"DROP DATABASE {name} WITH (FORCE)")
        url = f"{SERVER.rpartition('/')[0]}/{name}"
        made = Stage(folder, url, _environment(url, folder))
        made.python("manage", "migrate", "--skip-checks", "--verbosity", "0")
        try:
            yield made
        finally:
            for running in list(made.processes):
                made.stop(running)


def free_port() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit("no port is free")


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                after = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(after[1]), []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def libpq(url: str) -> str:
    return url.replace("postgres://", "postgresql://")


def say(text: str) -> None:
    print(text, flush=True)


def _cpu(pid: int) -> float:
    try:
        after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(after[11]) + int(after[12])) / _TICK


def _memory(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    private = [line.split()[1] for line in rollup.splitlines() if line.startswith("Private_")]
    return sum(map(int, private)) * 1024


def _environment(url: str, folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
    # The demo's settings: unlike the tests', they let no commit be lost.
    return kept | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "portal.settings.demo",
        "VAR_DIR": str(folder / "var"),
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "LOG_LEVEL": "INFO",
        "SYNC_WAITING": str(WAITING),
        "POLL_SECONDS_FIRST": "2",
        "POLL_SECONDS_MOST": "300",
    }
