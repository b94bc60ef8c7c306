"""What comes to and goes from an account besides jobs: grants, lots, alerts, changes of rules."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounting.models.ledger import Account, Transfer


class Period(models.TextChoices):
    """Calendar periods in UTC."""

    WEEK = "WEEK", _("week")
    MONTH = "MONTH", _("month")
    QUARTER = "QUARTER", _("quarter")
    YEAR = "YEAR", _("year")


class GrantRule(models.Model):
    """Credit that comes again each period, e.g. 500 each quarter that lasts 90 days.

    The grant of a period begins with the period and has one id (rule and period), however often
    the schedule is run. `lifetime_days` NULL: what was granted does not expire.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="grant_rules")
    # NULL: issued by the portal. Else a group's account gives to a member's.
    source = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=150, unique=True, help_text=_("the same rule has the same"))
    amount = models.BigIntegerField()
    every = models.CharField(max_length=8, choices=Period)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    lifetime_days = models.PositiveIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acc_grant_rule"
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="acc_grant_rule_amount"),
        )

    def __str__(self) -> str:
        return f"{self.amount} every {self.every} to {self.account_id}"


class GrantState(models.TextChoices):
    SCHEDULED = "SCHEDULED", _("scheduled")
    ISSUED = "ISSUED", _("issued")
    CANCELLED = "CANCELLED", _("cancelled")
    REFUSED = "REFUSED", _("refused")


class Grant(models.Model):
    """Credit for an account from `starts_at` on, until `expires_at` (NULL: it does not expire).

    It is booked when it starts: what is scheduled is no credit yet.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="grants")
    source = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+")
    rule = models.ForeignKey(GrantRule, models.PROTECT, null=True, related_name="grants")
    key = models.CharField(max_length=150, unique=True, help_text=_("the same grant has the same"))
    amount = models.BigIntegerField()
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=9, choices=GrantState, default=GrantState.SCHEDULED)
    note = models.CharField(max_length=200, blank=True, help_text=_("why it was refused"))
    transfer = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="grant")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acc_grant"
        ordering = ("-starts_at", "-pk")
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="acc_grant_amount"),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("starts_at")),
                name="acc_grant_lives",
            ),
            models.CheckConstraint(
                condition=Q(state="ISSUED", transfer__isnull=False)
                | (~Q(state="ISSUED") & Q(transfer__isnull=True)),
                name="acc_grant_issued",
            ),
        )
        indexes = (
            models.Index(
                fields=("starts_at",), condition=Q(state="SCHEDULED"), name="acc_grant_scheduled"
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} to {self.account_id} from {self.starts_at:%Y-%m-%d}"


class Lot(models.Model):
    """Credit on an account that expires; what is spent is taken from the earliest expiry first.

    Lots follow the account's entries: `LotCursor` says up to which version they do.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="lots")
    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="lots")
    amount = models.BigIntegerField()
    remaining = models.BigIntegerField()
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "acc_lot"
        ordering = ("expires_at", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gt=0, remaining__gte=0, remaining__lte=F("amount")),
                name="acc_lot_bounds",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("starts_at")), name="acc_lot_lives"
            ),
            models.UniqueConstraint(
                fields=("account", "transfer", "expires_at"), name="acc_lot_once"
            ),
        )
        indexes = (
            models.Index(
                fields=("expires_at",), condition=Q(remaining__gt=0), name="acc_lot_to_expire"
            ),
        )

    def __str__(self) -> str:
        return f"{self.remaining} of {self.amount} until {self.expires_at:%Y-%m-%d}"


class LotUse(models.Model):
    """What a transfer took from a lot (positive) or gave back to it (negative)."""

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="uses")
    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="lot_uses")
    amount = models.BigIntegerField()

    class Meta:
        db_table = "acc_lot_use"
        constraints = (
            models.UniqueConstraint(fields=("lot", "transfer"), name="acc_lot_use_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="acc_lot_use_amount"),
        )

    def __str__(self) -> str:
        return f"{self.amount} of lot {self.lot_id}"


class LotCursor(models.Model):
    """Up to which of the account's entries its lots have been brought; only accounts with lots."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True, related_name="+")
    version = models.BigIntegerField()

    class Meta:
        db_table = "acc_lot_cursor"

    def __str__(self) -> str:
        return f"{self.account_id}: {self.version}"


class AlertRule(models.Model):
    """Tell who manages the account when its available credit falls below a threshold.

    One of `amount` (micro-credits) and `percent` (of what was available after the latest credit
    came in). It fires once, and is armed again when the balance has been above it.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="alert_rules")
    amount = models.BigIntegerField(null=True, blank=True)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    armed = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "acc_alert_rule"
        ordering = ("account", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(amount__gte=0, percent__isnull=True)
                | Q(amount__isnull=True, percent__gte=1, percent__lte=100),
                name="acc_alert_one_threshold",
            ),
            models.UniqueConstraint(fields=("account", "amount"), name="acc_alert_amount_once"),
            models.UniqueConstraint(fields=("account", "percent"), name="acc_alert_percent_once"),
        )

    def __str__(self) -> str:
        return f"{self.account_id} below {self.amount if self.amount is not None else self.percent}"


class Alert(models.Model):
    """An alert that was given."""

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="alerts")
    fired_at = models.DateTimeField()
    available = models.BigIntegerField()
    threshold = models.BigIntegerField()

    class Meta:
        db_table = "acc_alert"
        ordering = ("-fired_at",)

    def __str__(self) -> str:
        return f"{self.rule_id} at {self.fired_at:%Y-%m-%d}"


class AccountChange(models.Model):
    """Who changed a rule of an account, when, and why; append-only (trigger)."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="changes")
    actor = models.CharField(max_length=64)
    at = models.DateTimeField()
    what = models.CharField(max_length=40, help_text=_("status, credit_limit, cap, overrun …"))
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "acc_account_change"
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("account", "-at"), name="acc_change_account"),)

    def __str__(self) -> str:
        return f"{self.what} of {self.account_id} by {self.actor}"
