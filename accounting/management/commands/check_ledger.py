"""`manage.py check_ledger`: are the books in order?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounting.check import findings
from accounting.models import Account, Transfer


class Command(BaseCommand):
    help = (
        "Check every invariant of the ledger and of the jobs' bills: balances are the sums of "
        "their entries, holds add up, limits are kept, no job is charged twice, and the "
        "triggers that guard the books are in place. Changes nothing, and may run "
        "while the portal works. "
        "Exit code 0: all in order. 1: something is wrong; each line says what."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found = findings()
        if found:
            for finding in found:
                self.stdout.write(f"- {finding}")
            raise CommandError("The ledger is not in order (see above).", returncode=1)
        self.stdout.write(
            self.style.SUCCESS(
                f"The ledger is in order: {Account.objects.count()} accounts, "
                f"{Transfer.objects.count()} transfers."
            )
        )
