"""The double-entry ledger. Amounts are integers of micro-credits (1 credit = 1,000,000).

The application only inserts transfers; triggers (migration 0002) move the money, write the entries,
and refuse what would break an invariant. Nothing here is updated or deleted by the application but
an account's floor, status and policy, and a cap's limit.
"""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from people.models import Group

MOST = 9_000_000_000_000_000  # fits the numbers of JSON and browsers


class AccountKind(models.TextChoices):
    USER = "USER", _("user")
    GROUP = "GROUP", _("group")
    PROVIDER = "PROVIDER", _("provider")
    SYSTEM = "SYSTEM", _("system")


class AccountStatus(models.TextChoices):
    OPEN = "OPEN", _("open")
    FROZEN = "FROZEN", _("frozen")
    CLOSED = "CLOSED", _("closed")


class OverrunPolicy(models.TextChoices):
    """How far a charge may go above what was held, when a job used more than was quoted."""

    CAP_AT_HOLD = "CAP_AT_HOLD", _("never more than was held")
    UP_TO_BALANCE = "UP_TO_BALANCE", _("as far as the balance goes")
    DEBT = "DEBT", _("everything, below zero if need be")


class Account(models.Model):
    """A place for credits: of a user, a group, a provider, or the system.

    `code` is e.g. user:17, group:4, provider:9, system:issue. `floor` is the lowest that available
    (posted - held) may become: 0, or minus the credit limit; NULL means no limit (SYSTEM only).
    """

    code = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=8, choices=AccountKind)
    name = models.CharField(max_length=200, blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="account"
    )
    group = models.OneToOneField(
        Group, models.PROTECT, null=True, blank=True, related_name="account"
    )
    currency = models.CharField(max_length=3, default="CRD")
    posted = models.BigIntegerField(default=0, editable=False)
    held = models.BigIntegerField(default=0, editable=False)
    floor = models.BigIntegerField(default=0, null=True, blank=True)
    overrun = models.BigIntegerField(default=0, editable=False)
    version = models.BigIntegerField(default=0, editable=False)
    status = models.CharField(max_length=6, choices=AccountStatus, default=AccountStatus.OPEN)
    overrun_policy = models.CharField(
        max_length=13, choices=OverrunPolicy, default=OverrunPolicy.CAP_AT_HOLD
    )

    class Meta:
        db_table = "acc_account"
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="acc_kind"),
            models.CheckConstraint(condition=Q(status__in=AccountStatus.values), name="acc_status"),
            models.CheckConstraint(condition=Q(held__gte=0), name="acc_held_nonneg"),
            models.CheckConstraint(condition=Q(overrun__gte=0), name="acc_overrun_nonneg"),
            models.CheckConstraint(
                condition=Q(floor__isnull=True)
                | Q(posted__gte=F("held") + F("floor") - F("overrun")),
                name="acc_no_overdraft",
            ),
            models.CheckConstraint(
                condition=Q(posted__gte=-MOST, posted__lte=MOST, held__lte=MOST), name="acc_bounds"
            ),
            models.CheckConstraint(
                condition=~Q(status="CLOSED") | Q(posted=0, held=0), name="acc_closed_empty"
            ),
            models.CheckConstraint(
                condition=Q(kind="USER", user__isnull=False, group__isnull=True)
                | Q(kind="GROUP", user__isnull=True, group__isnull=False)
                | Q(kind__in=("PROVIDER", "SYSTEM"), user__isnull=True, group__isnull=True),
                name="acc_owner",
            ),
            models.CheckConstraint(
                condition=Q(floor__isnull=False) | Q(kind="SYSTEM"), name="acc_unlimited_is_system"
            ),
        )

    # The user who was found to be able to pay from this object's account (`accounting.selectors`).
    payable_by: int | None = None

    def __str__(self) -> str:
        return self.name or self.code

    @property
    def available(self) -> int:
        """Micro-credits that may be spent or held now, down to the floor."""
        return self.posted - self.held - (self.floor or 0)


class Phase(models.TextChoices):
    SINGLE = "single", _("at once")
    PENDING = "pending", _("hold")
    POST = "post", _("charge of a hold")
    VOID = "void", _("release of a hold")


class TransferKind(models.TextChoices):
    GRANT = "GRANT", _("grant")
    DEPOSIT = "DEPOSIT", _("deposit")
    TRANSFER = "TRANSFER", _("transfer")
    HOLD = "HOLD", _("hold")
    CHARGE = "CHARGE", _("charge")
    RELEASE = "RELEASE", _("release")
    REFUND = "REFUND", _("refund")
    ADJUST = "ADJUST", _("adjustment")
    EXPIRE = "EXPIRE", _("expiry")


class Transfer(models.Model):
    """Credits from one account to another; append-only, its id is the idempotency key.

    `debit` gives, `credit` receives. `pending` is the hold that a post or void resolves, `reverses`
    the charge that a refund gives back, `member` the user on whose behalf a group account pays.
    No foreign keys in the database: the check of one to accounts would lock the hot account row.
    The trigger proves that what a transfer names exists, and none of it is ever deleted.
    """

    id = models.UUIDField(primary_key=True)
    phase = models.CharField(max_length=7, choices=Phase)
    kind = models.CharField(max_length=8, choices=TransferKind)
    debit = models.ForeignKey(
        Account, models.PROTECT, related_name="debits", db_constraint=False, db_index=False
    )
    credit = models.ForeignKey(
        Account, models.PROTECT, related_name="credits", db_constraint=False, db_index=False
    )
    amount = models.BigIntegerField()
    pending = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="resolutions",
        db_constraint=False,
        db_index=False,
    )
    reverses = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="refunds",
        db_constraint=False,
        db_index=False,
    )
    overrun_ok = models.BooleanField(default=False)
    member_id = models.BigIntegerField(null=True)
    fingerprint = models.CharField(max_length=64)
    actor = models.CharField(max_length=64, default="")
    reason = models.TextField(default="")
    reference = models.CharField(max_length=128, default="")
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acc_transfer"
        ordering = ("created_at", "id")
        constraints = (
            models.CheckConstraint(condition=Q(phase__in=Phase.values), name="acc_phase"),
            models.CheckConstraint(
                condition=Q(kind__in=TransferKind.values), name="acc_transfer_kind"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, amount__lte=MOST), name="acc_amount_pos"
            ),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="acc_two_accounts"),
            models.CheckConstraint(
                condition=Q(phase__in=("post", "void"), pending__isnull=False)
                | Q(phase__in=("single", "pending"), pending__isnull=True),
                name="acc_pending_ref",
            ),
            models.CheckConstraint(
                condition=Q(kind="REFUND", reverses__isnull=False)
                | (~Q(kind="REFUND") & Q(reverses__isnull=True)),
                name="acc_refund_ref",
            ),
            models.CheckConstraint(
                condition=Q(phase="pending") | Q(expires_at__isnull=True),
                name="acc_expiry_only_pending",
            ),
            models.CheckConstraint(
                condition=~Q(kind="ADJUST") | ~Q(reason=""), name="acc_manual_needs_reason"
            ),
            models.UniqueConstraint(
                fields=("pending",),
                condition=Q(pending__isnull=False),
                name="acc_transfer_one_resolution",
            ),
        )
        indexes = (
            models.Index(
                fields=("reverses",),
                condition=Q(reverses__isnull=False),
                name="acc_transfer_reverses",
            ),
            models.Index(
                fields=("expires_at",), condition=Q(phase="pending"), name="acc_transfer_open_hold"
            ),
            models.Index(
                fields=("reference",),
                condition=Q(pending__isnull=True),  # see `accounting.ledger.named`
                name="acc_transfer_reference",
            ),
            models.Index(fields=("debit", "created_at"), name="acc_transfer_debit"),
            models.Index(fields=("credit", "created_at"), name="acc_transfer_credit"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.debit_id}→{self.credit_id}"


class Entry(models.Model):
    """One side of a posted transfer, written by the trigger; append-only.

    `version` counts an account's entries 1..n without a gap; `balance_after` is the running sum.
    """

    transfer = models.ForeignKey(
        Transfer, models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="entries", db_constraint=False, db_index=False
    )
    amount = models.BigIntegerField()
    balance_after = models.BigIntegerField()
    version = models.BigIntegerField()

    class Meta:
        db_table = "acc_entry"
        ordering = ("account", "version")
        constraints = (
            models.CheckConstraint(condition=~Q(amount=0), name="acc_entry_amount"),
            models.UniqueConstraint(fields=("account", "version"), name="acc_entry_version"),
            models.UniqueConstraint(fields=("transfer", "account"), name="acc_entry_once"),
        )

    def __str__(self) -> str:
        return f"{self.account_id} #{self.version}: {self.amount}"


class MemberCap(models.Model):
    """The most that one member may spend from one group account, in all or in one period.

    With a `period` there is one row per period, written by the trigger when a hold or charge comes
    in a new one; the newest row is the rule. A charge, its refund and its release count in the
    period of the hold. `period_start` of a cap without period is 1970-01-01.
    """

    account = models.ForeignKey(
        Account, models.PROTECT, related_name="caps", db_constraint=False, db_index=False
    )
    member_id = models.BigIntegerField()
    period = models.CharField(
        max_length=8,
        blank=True,
        choices=(("MONTH", _("month")), ("QUARTER", _("quarter")), ("YEAR", _("year"))),
    )
    period_start = models.DateField(default=date(1970, 1, 1))
    limit_amount = models.BigIntegerField(db_column="limit_")
    used = models.BigIntegerField(default=0, editable=False)
    held = models.BigIntegerField(default=0, editable=False)
    overrun = models.BigIntegerField(default=0, editable=False)

    class Meta:
        db_table = "acc_cap"
        constraints = (
            models.UniqueConstraint(
                fields=("account", "member_id", "period", "period_start"), name="acc_cap_once"
            ),
            models.CheckConstraint(condition=Q(limit_amount__gte=0), name="acc_cap_positive"),
            models.CheckConstraint(condition=Q(held__gte=0), name="acc_cap_held"),
            models.CheckConstraint(
                condition=Q(limit_amount__gte=F("used") + F("held") - F("overrun")),
                name="acc_cap_limit",
            ),
        )

    def __str__(self) -> str:
        return f"member {self.member_id} on {self.account_id}: {self.limit_amount}"
