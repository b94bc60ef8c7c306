"""A database that several processes share, for tests that start or kill some."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.db import connection

REPOSITORY = Path(__file__).resolve().parent.parent


class SharedDatabase:
    """What the test has committed so far, where child processes see it (a transactional test).

    On PostgreSQL the test's own database; on SQLite, whose test database lives in this process, a
    copy of it in a file, which the parent reads with `rows`.
    """

    def __init__(self, folder: Path) -> None:
        connection.ensure_connection()
        settings = connection.settings_dict
        if connection.vendor == "sqlite":
            self.path = folder / "shared.sqlite3"
            with closing(sqlite3.connect(self.path)) as copy:
                connection.connection.backup(copy)
            self.url = f"sqlite:///{self.path}"
        else:
            user, password = quote(settings["USER"]), quote(settings["PASSWORD"])
            place = f"{settings['HOST'] or '127.0.0.1'}:{settings['PORT'] or 5432}"
            self.url = f"postgres://{user}:{password}@{place}/{settings['NAME']}"

    @property
    def environment(self) -> dict[str, str]:
        """For a child process: this database, with the options of a real installation."""
        inherited = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
        return {
            **inherited,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "portal.settings.test",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run `python -m …` on this database."""
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The answer to a query, past Django."""
        if connection.vendor == "sqlite":
            with closing(sqlite3.connect(self.path)) as own:
                return own.execute(sql).fetchall()
        with closing(psycopg.connect(self.url.replace("postgres://", "postgresql://"))) as own:
            return own.execute(sql).fetchall()  # type: ignore[arg-type]
