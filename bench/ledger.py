"""The ledger on PostgreSQL: holds and charges per second, every commit durable.

On one hot pair of accounts, and on 1,000 accounts. Side by side: `accounting.ledger.post`, the
usual Django ledger (lock, check in Python, save), and the ledger's own statement from pgbench,
which is as fast as that statement can be sent. Then the same questions on an account with a short
history and on one with a long one (HISTORY_ENTRIES), each in a database of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from statistics import median

import psycopg

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
SECONDS = float(os.environ.get("BENCH_SECONDS", "1"))
ROUNDS = 5
CLIENTS = (1, 8)
HISTORIES = 1_000, int(os.environ.get("HISTORY_ENTRIES", "1000000"))
QUESTIONS = ("balance", "hold", "statement, first page", "statement, deep page")
ASKED, WARM = 600, 50  # times; what is only slow at first is not counted
PAIRS = (1, 500)
Client = subprocess.Popen[str]
STATEMENT = {
    "hold": ("pending", "HOLD"),
    "charge": ("single", "CHARGE"),
}


def main() -> None:
    try:
        with _database() as url:
            first = int(_answer(_child(url, "bench._ledger_tables")))
            clients = [_child(url, "bench._ledger_client") for _ in range(max(CLIENTS))]
            try:
                for client in clients:
                    assert client.stdout is not None
                    client.stdout.readline()
                for pairs, number in product(PAIRS, CLIENTS):
                    for what in ("hold", "charge", "pair"):
                        _compare(url, what, clients[:number], (first, pairs))
            finally:
                for client in clients:
                    client.kill()
                    client.communicate()
        _histories()
    except psycopg.OperationalError as error:
        _say(f"PostgreSQL does not answer: {str(error).strip()}")


def _compare(url: str, what: str, clients: list[Client], accounts: tuple[int, int]) -> None:
    """Rounds in turn, so that what else the machine does weighs on all alike; medians."""
    ours, plain, bare = [], [], []
    first, pairs = accounts
    for _ in range(ROUNDS):
        ours.append(_rate(f"ours {what} {pairs}", clients))
        plain.append(_rate(f"plain {what} {pairs}", clients))
        if what in STATEMENT and shutil.which("pgbench"):
            bare.append(_pgbench(url, what, len(clients), (first, pairs)))
    where = "hot account" if pairs == 1 else f"{2 * pairs} accounts"
    told = f"{where:13} {what:6} {len(clients)} client(s): {median(ours):6.0f}/s"
    told += f" | plain Django {median(plain):5.0f}/s, ratio {_ratio(ours, plain):.2f}"
    if bare:
        told += f" | pgbench {median(bare):5.0f}/s, ratio {_ratio(ours, bare):.2f}"
    _say(f"{told} | load average {os.getloadavg()[0]:.1f}")


def _histories() -> None:
    with ExitStack() as stack:
        urls = [stack.enter_context(_database(f"_{entries}")) for entries in HISTORIES]
        pairs = zip(urls, HISTORIES, strict=True)
        both = [_child(url, "bench._ledger_history", str(entries)) for url, entries in pairs]
        for child in both:
            stack.callback(child.kill)
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
        for question in QUESTIONS:
            taken: list[list[float]] = [[], []]
            for turn in range(ASKED):
                for which in (0, 1) if turn % 2 else (1, 0):
                    taken[which].append(_ask(both[which], question))
            short, long = (median(times[WARM:]) for times in taken)
            told = f"{question:21} {HISTORIES[0]} entries {short:.2f} ms"
            told += f" | {HISTORIES[1]} entries {long:.2f} ms, ratio {long / short:.2f}"
            _say(f"{told} | load average {os.getloadavg()[0]:.1f}")


def _ask(child: Client, question: str) -> float:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(f"{question}\n")
    child.stdin.flush()
    return float(child.stdout.readline())


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def _rate(what: str, clients: list[Client]) -> float:
    for client in clients:
        assert client.stdin is not None
        client.stdin.write(f"{what} {SECONDS}\n")
        client.stdin.flush()
    done = 0
    for client in clients:
        assert client.stdout is not None
        done += int(client.stdout.readline())
    return done / SECONDS


def _pgbench(url: str, what: str, clients: int, accounts: tuple[int, int]) -> float:
    phase, kind = STATEMENT[what]
    first, pairs = accounts
    statement = (
        f"\\set payer {first} + 2 * random(0, {pairs - 1})\n"
        "INSERT INTO acc_transfer (id, phase, kind, debit_id, credit_id, amount, pending_id,"
        " reverses_id, overrun_ok, member_id, fingerprint, actor, reason, reference, effective_at,"
        f" created_at, expires_at) VALUES (gen_random_uuid(), '{phase}', '{kind}', :payer,"
        " :payer + 1, 1, NULL, NULL, false, NULL, repeat('0', 64), '', '', '', now(), now(),"
        " NULL) ON CONFLICT (id) DO NOTHING;\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(statement)
        script.flush()
        command = [
            "pgbench",
            "-n",
            "-M",
            "prepared",
            "-f",
            script.name,
            "-c",
            str(clients),
            "-j",
            "2",
        ]
        command += ["-T", str(max(1, round(SECONDS))), _libpq(url)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"tps = ([\d.]+)", said)
    assert found is not None, said
    return float(found[1])


@contextmanager
def _database(suffix: str = "") -> Iterator[str]:
    """A database of this run's own, with the tables of the portal."""
    name = f"bench_ledger_{os.getpid()}{suffix}"
    url = f"{SERVER.rpartition('/')[0]}/{name}"
    with psycopg.connect(_libpq(SERVER), autocommit=True, connect_timeout=3) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            _answer(_child(url, "manage", "migrate", "--verbosity", "0"))
            yield url
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _child(url: str, *arguments: str) -> Client:
    environment = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
    environment |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "portal.settings.test"}
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _answer(process: Client) -> str:
    """What a child printed; its failure, which it told on stderr, is ours."""
    said, _nothing = process.communicate()
    if process.returncode:
        raise SystemExit(process.returncode)
    return said


def _libpq(url: str) -> str:
    return url.replace("postgres://", "postgresql://")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
