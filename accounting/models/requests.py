"""What people ask for and others decide: top-ups, adjustments and refunds, disputes."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounting.models.ledger import Account, Transfer
from accounting.models.pricing import Quote


class TopUpState(models.TextChoices):
    REQUESTED = "REQUESTED", _("waiting for a decision")
    QUESTION = "QUESTION", _("asked back")
    GRANTED = "GRANTED", _("granted")
    REFUSED = "REFUSED", _("refused")
    WITHDRAWN = "WITHDRAWN", _("withdrawn")


class TopUp(models.Model):
    """A request for credit on `account`; `source` decides: a group's administrators, or operators.

    `source` NULL: credit is issued by the portal, operators decide. `as_limit`: not credit on
    `account` is asked for, which is the asker's own, but a higher limit on `source`.
    """

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="top_ups")
    source = models.ForeignKey(Account, models.PROTECT, null=True, related_name="top_ups_asked_of")
    quote = models.ForeignKey(Quote, models.PROTECT, null=True, related_name="+")
    as_limit = models.BooleanField(default=False)
    amount = models.BigIntegerField()
    reason = models.TextField()
    state = models.CharField(max_length=9, choices=TopUpState, default=TopUpState.REQUESTED)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="top_ups"
    )
    requested_at = models.DateTimeField()
    granted = models.BigIntegerField(null=True)
    transfer = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="top_up")
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acc_top_up"
        ordering = ("-requested_at",)
        constraints = (
            models.CheckConstraint(condition=Q(amount__gt=0), name="acc_top_up_amount"),
            models.CheckConstraint(
                condition=Q(state="GRANTED", as_limit=False, transfer__isnull=False, granted__gt=0)
                | Q(state="GRANTED", as_limit=True, transfer__isnull=True, granted__gt=0)
                | (~Q(state="GRANTED") & Q(transfer__isnull=True, granted__isnull=True)),
                name="acc_top_up_granted",
            ),
            models.CheckConstraint(
                condition=Q(as_limit=False) | Q(source__isnull=False), name="acc_top_up_limit_of"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("REQUESTED", "QUESTION"), closed_at__isnull=True)
                | (~Q(state__in=("REQUESTED", "QUESTION")) & Q(closed_at__isnull=False)),
                name="acc_top_up_closed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} for {self.account_id}: {self.state}"


class TopUpNote(models.Model):
    """A question or an answer about a request."""

    top_up = models.ForeignKey(TopUp, models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        db_table = "acc_top_up_note"
        ordering = ("at", "pk")

    def __str__(self) -> str:
        return f"{self.author_id} on {self.top_up_id}"


class AdjustmentState(models.TextChoices):
    PENDING = "PENDING", _("to be approved")
    BOOKED = "BOOKED", _("booked")
    REFUSED = "REFUSED", _("refused")


class Adjustment(models.Model):
    """A refund of a charge, or a correction by hand; above a limit a second person approves.

    `amount` is signed as the account sees it. With `charge` it is a refund of that charge (and
    positive); without, an ADJUST from or to system:writeoff.
    """

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="adjustments")
    charge = models.ForeignKey(Transfer, models.PROTECT, null=True, related_name="adjustments")
    amount = models.BigIntegerField()
    reason = models.TextField()
    state = models.CharField(max_length=8, choices=AdjustmentState, default="PENDING")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)
    transfer = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="adjustment")

    class Meta:
        db_table = "acc_adjustment"
        ordering = ("-requested_at",)
        constraints = (
            models.CheckConstraint(condition=~Q(amount=0), name="acc_adjustment_amount"),
            models.CheckConstraint(
                condition=Q(charge__isnull=True) | Q(amount__gt=0), name="acc_adjustment_refund"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="acc_adjustment_reason"),
            models.CheckConstraint(
                condition=Q(state="BOOKED", transfer__isnull=False)
                | (~Q(state="BOOKED") & Q(transfer__isnull=True)),
                name="acc_adjustment_booked",
            ),
        )

    def __str__(self) -> str:
        return f"{self.amount} on {self.account_id}: {self.state}"


class DisputeState(models.TextChoices):
    OPEN = "OPEN", _("open")
    ACCEPTED = "ACCEPTED", _("accepted")
    PARTLY = "PARTLY", _("accepted in part")
    REJECTED = "REJECTED", _("rejected")


class Dispute(models.Model):
    """Somebody says that a charge is wrong; one open dispute per charge.

    Accepted in whole or part: a refund with an id made from the dispute's.
    """

    id = models.UUIDField(primary_key=True)
    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="disputes")
    account = models.ForeignKey(Account, models.PROTECT, related_name="disputes")
    provider_id = models.BigIntegerField(db_index=True)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="disputes")
    opened_at = models.DateTimeField()
    text = models.TextField()
    state = models.CharField(max_length=8, choices=DisputeState, default=DisputeState.OPEN)
    answer = models.TextField(blank=True)
    refund = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="+")
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acc_dispute"
        ordering = ("-opened_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state="OPEN", closed_at__isnull=True)
                | (~Q(state="OPEN") & Q(closed_at__isnull=False)),
                name="acc_dispute_closed",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("ACCEPTED", "PARTLY")) | Q(refund__isnull=False),
                name="acc_dispute_paid",
            ),
            models.UniqueConstraint(
                fields=("transfer",), condition=Q(state="OPEN"), name="acc_dispute_one_open"
            ),
        )

    def __str__(self) -> str:
        return f"{self.transfer_id}: {self.state}"
