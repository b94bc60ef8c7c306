"""manage.py doctor"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.doctor import (
    Verdict,
    connection_findings,
    settings_findings,
    state_findings,
    step_findings,
)

MARKS = {Verdict.GOOD: "ok  ", Verdict.WARN: "warn", Verdict.BAD: "BAD "}


class Command(BaseCommand):
    help = (
        "Say what this installation lacks: settings, database, workers, mail, broker, storage, "
        "first steps. Ends with 1 if something does not work, and with --strict also if something "
        "could be better."
    )
    requires_system_checks: list[str] = []  # it runs them itself, with those for deployment

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="warnings end with 1 too")
        parser.add_argument(
            "--offline", action="store_true", help="call neither mail server, broker nor storage"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = [*settings_findings(), *state_findings()]
        if not options["offline"]:
            found += connection_findings()
        if not any(one.verdict == Verdict.BAD for one in found):
            found += step_findings()
        for one in found:
            self.stdout.write(f"{MARKS[one.verdict]}  {one.subject}: {one.text}")
            if one.advice:
                self.stdout.write(f"      → {one.advice}")
        wrong = {one.verdict for one in found}
        if Verdict.BAD in wrong or (options["strict"] and Verdict.WARN in wrong):
            sys.exit(1)
