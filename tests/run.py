"""Runs the whole suite on SQLite, and what asks a database again on PostgreSQL where one answers.

The whole suite on PostgreSQL: TEST_DATABASE_URL=postgres://… pytest.

`python -m tests.run [pytest arguments]`. TEST_POSTGRES_URL names the server; without it the usual
address on this machine is tried. Under TEP_CI a missing server is a failure, not a skip.
"""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")


def postgres_answers() -> bool:
    """Whether databases can be made there."""
    try:
        with psycopg.connect(POSTGRES.replace("postgres://", "postgresql://"), connect_timeout=3):
            return True
    except psycopg.OperationalError as error:
        print(f"PostgreSQL is not used: {str(error).strip()}")  # noqa: T201
        return False


def run(arguments: list[str], **extra: str) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env={**os.environ, **extra}, check=False).returncode


def main() -> int:
    arguments = sys.argv[1:]
    failed = run(arguments)
    if failed:
        return failed
    if not postgres_answers():
        if os.environ.get("TEP_CI"):
            print("PostgreSQL is required here.")  # noqa: T201
            return 1
        return 0
    return run(arguments, TEST_DATABASE_URL=POSTGRES, TEP_DATABASE_TESTS="1")


if __name__ == "__main__":
    sys.exit(main())
