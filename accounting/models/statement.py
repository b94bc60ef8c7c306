"""Closed statements and the seals that show whether an account's past was tampered with."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from accounting.models.ledger import Account


class Seal(models.Model):
    """SHA-256 over the previous seal and the entries from_version to to_version; append-only.

    What exactly is hashed says `accounting.statements.seals`, for each `form`.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="seals")
    from_version = models.BigIntegerField()
    to_version = models.BigIntegerField()
    form = models.PositiveSmallIntegerField(help_text="version of the canonical lines")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acc_seal"
        ordering = ("account", "from_version")
        constraints = (
            models.CheckConstraint(
                condition=Q(from_version__gte=1, to_version__gte=F("from_version")),
                name="acc_seal_range",
            ),
            models.UniqueConstraint(fields=("account", "from_version"), name="acc_seal_once"),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.from_version}–{self.to_version}"


class MonthlyStatement(models.Model):
    """One account in one month (UTC), closed: opening + credits - debits = closing. Append-only.

    Entries first_version to last_version (last_version = first_version - 1: nothing was booked).
    `seal` covers the last entry of the month; NULL while the account never had an entry.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="monthly_statements")
    month = models.DateField(help_text="its first day")
    opening = models.BigIntegerField()
    credits = models.BigIntegerField()
    debits = models.BigIntegerField()
    closing = models.BigIntegerField()
    first_version = models.BigIntegerField()
    last_version = models.BigIntegerField()
    seal = models.ForeignKey(Seal, models.PROTECT, null=True, related_name="statements")
    closed_at = models.DateTimeField()

    class Meta:
        db_table = "acc_statement"
        ordering = ("account", "-month")
        constraints = (
            models.UniqueConstraint(fields=("account", "month"), name="acc_statement_once"),
            models.CheckConstraint(
                condition=Q(credits__gte=0, debits__gte=0), name="acc_statement_positive"
            ),
            models.CheckConstraint(
                condition=Q(closing=F("opening") + F("credits") - F("debits")),
                name="acc_statement_adds_up",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.month:%Y-%m}"
