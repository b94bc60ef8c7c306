"""Let the database keep the ledger: the triggers behind every transfer, by vendor.

SQLite loses a table's triggers when a migration rebuilds the table: a migration that alters a table
which the scripts name runs `remove` first and `install` last. `check_ledger` notices.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def _statements(script: str) -> Iterator[str]:
    """The statements of an SQLite script: the driver takes one at a time inside a transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def script(vendor: str) -> str:
    """What `install` runs on a database of this vendor."""
    paths = sorted(Path(__file__).parent.glob(f"*_triggers.{vendor}.sql"))
    return "\n".join(path.read_text() for path in paths)


def install(apps: Any, schema_editor: Any) -> None:
    """Create the triggers from the scripts of this vendor."""
    del apps
    vendor = schema_editor.connection.vendor
    text = script(vendor)
    for statement in _statements(text) if vendor == "sqlite" else [text]:
        schema_editor.execute(statement, params=None)


def remove(apps: Any, schema_editor: Any) -> None:
    """Drop what `install` created."""
    del apps
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "sqlite":
            cursor.execute(
                "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')"
                " AND name LIKE 'acc\\_%' ESCAPE '\\' ORDER BY type"
            )
            drops = [f"DROP {kind} {name}" for kind, name in cursor.fetchall()]
            drops += [f"DROP TABLE IF EXISTS acc_{name}" for name in ("gate", "inbox", "settled")]
        else:
            cursor.execute(
                "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
                " AND proname LIKE 'acc\\_%'"
            )
            drops = [f"DROP FUNCTION {name} CASCADE" for (name,) in cursor.fetchall()]
            drops.append("ALTER TABLE acc_account RESET (fillfactor)")
    for statement in drops:
        schema_editor.execute(statement, params=None)
