"""Let the database keep the ledger: the triggers behind every transfer, by vendor.

SQLite loses a table's triggers when a migration rebuilds the table: a later migration that alters
a table of the ledger ends by running `remove` and `install` again. `check_ledger` notices.
"""

import sqlite3
from pathlib import Path

from django.db import migrations


def _statements(script):
    """The statements of an SQLite script: the driver takes one at a time inside a transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def install(apps, schema_editor):
    """Create the triggers from the script of this vendor."""
    vendor = schema_editor.connection.vendor
    script = Path(__file__).with_name(f"ledger_triggers.{vendor}.sql").read_text()
    for statement in _statements(script) if vendor == "sqlite" else [script]:
        schema_editor.execute(statement, params=None)


def remove(apps, schema_editor):
    """Drop what `install` created."""
    with schema_editor.connection.cursor() as cursor:
        if schema_editor.connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'acc\\_%' ESCAPE '\\'")
            drops = [f"DROP TRIGGER {name}" for (name,) in cursor.fetchall()]
            drops.append("DROP TABLE acc_gate")
        else:
            cursor.execute(
                "SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
                " AND proname IN ('acc_fail', 'acc_refuse', 'acc_apply', 'acc_cap_begin', 'acc_rate_guard')"
            )
            drops = [f"DROP FUNCTION {name} CASCADE" for (name,) in cursor.fetchall()]
            drops.append("ALTER TABLE acc_account RESET (fillfactor)")
    for statement in drops:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [("accounting", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
