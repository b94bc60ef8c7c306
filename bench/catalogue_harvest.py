"""Pages of 100 records at the harvest doors: CPU of the portal's process, against 50 ms.

The whole way of a request through Django, on each database, with BENCH_ITEMS (5000) items.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import psycopg

SERVER = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _measure("SQLite", f"sqlite:///{Path(folder) / 'bench.sqlite3'}")
    name = f"bench_{uuid.uuid4().hex[:12]}"
    try:
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
            try:
                _measure("PostgreSQL", f"{SERVER.rpartition('/')[0]}/{name}")
            finally:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    except psycopg.OperationalError as error:
        print(f"PostgreSQL does not answer: {str(error).strip()}", flush=True)


def _measure(database: str, url: str) -> None:
    print(f"{database}:", flush=True)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings.test",
        "TEST_DATABASE_URL": url,
    }
    command = [sys.executable, "-m", "bench._harvest_client"]
    subprocess.run(command, env=environment, check=True)


if __name__ == "__main__":
    main()
