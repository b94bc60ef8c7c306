"""Another process that works on this test's database and is killed at a certain moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from django.db import connection

# Killed when the importer is called, or when it has committed and nothing is acknowledged yet.
PROGRAM = """
import os, signal, sys
import django
django.setup()
from accounting.models import UsageSource
from accounting.sources import intake, runner
from accounting.usage.records import Sender

take_in = intake.import_message
def die(*args, **given):
    if sys.argv[1] == "after":
        take_in(*args, **given)
    os.kill(os.getpid(), signal.SIGKILL)
intake.import_message = die
source = UsageSource.objects.get()
runner.run(source, sender=Sender(source.provider_id), sites={})
"""


def run_and_kill(moment: str) -> None:
    """Run the only source in another process, which dies `before` or `after` the commit."""
    died = subprocess.run(
        [sys.executable, "-c", PROGRAM, moment],
        env={**os.environ, **_database(), "DJANGO_SETTINGS_MODULE": "portal.settings.test"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


def _database() -> dict[str, str]:
    """For another process, the database that this test is on."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{given['NAME']}", "TEST_DATABASE_URL": ""}
    login = f"{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}"
    return {"TEST_DATABASE_URL": f"postgres://{login}/{given['NAME']}"}
