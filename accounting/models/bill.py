"""The bill of a job: what ties its quote, hold, usage records and charge together."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounting.models.ledger import Account, OverrunPolicy, Transfer
from accounting.models.pricing import PriceList, Quote


class BillState(models.TextChoices):
    OPEN = "OPEN", _("held, the job is not at its end")
    AWAITING_USAGE = "AWAITING_USAGE", _("the job ended, its usage is not reported yet")
    CHARGED = "CHARGED", _("charged")
    RELEASED = "RELEASED", _("released, nothing charged")
    FREE = "FREE", _("free of charge, nothing held")


class JobBill(models.Model):
    """One per job, from the hold to the settlement.

    CHARGED means settled from usage. `limit_amount` is what was held: the quote's total, or the
    ceiling that the user allowed; 0 without a hold, when the estimate came to nothing and what is
    used may have a price. FREE: nothing that the job can use has one. How far `charged` may go
    above the limit says `overrun_policy`, which is the account's at the time of the hold.
    `charged` is what settling charged less what it gave back; `refunded` is what people gave back
    of that. What the job cost in the end is the difference. A settlement never takes a refund back.
    `provider_job_id` is the provider's own identifier of the job, learnt after dispatch: usage
    records name the job by it or by `job_id`.
    """

    job_id = models.UUIDField(primary_key=True)
    quote = models.OneToOneField(Quote, models.PROTECT, related_name="bill")
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="bills", db_constraint=False, db_index=False
    )
    member_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    price_list = models.ForeignKey(
        PriceList, models.PROTECT, null=True, related_name="+", db_index=False
    )
    charge_unsuccessful = models.BooleanField(default=False)
    limit_amount = models.BigIntegerField(default=0, help_text=_("what was held"))
    overrun_policy = models.CharField(
        max_length=13, choices=OverrunPolicy, default=OverrunPolicy.CAP_AT_HOLD
    )
    # Without a hold: transfers are of more than nothing.
    hold = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="bill")
    # Nobody looks for a bill by it, and settling has one index less to write. It is written before
    # the charge is booked, so that the accounts are locked for less long; check_ledger looks at it.
    charge = models.ForeignKey(
        Transfer,
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    provider_job_id = models.CharField(max_length=255, blank=True)
    state = models.CharField(max_length=14, choices=BillState, default=BillState.OPEN)
    successful = models.BooleanField(null=True)
    ended_at = models.DateTimeField(null=True)
    products_out = models.PositiveIntegerField(null=True, help_text=_("results, known at the end"))
    used = models.BigIntegerField(default=0, help_text=_("price of the usage reported so far"))
    charged = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0, help_text=_("of the charged, given back by hand"))
    uncharged = models.BigIntegerField(default=0, help_text=_("used, and not charged"))
    deferred = models.BigIntegerField(
        default=0, help_text=_("to be charged (below 0: given back) when the account is open again")
    )
    corrections = models.PositiveIntegerField(
        default=0, help_text=_("transfers after the hold was resolved; numbers their ids")
    )
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acc_job_bill"
        constraints = (
            models.CheckConstraint(
                condition=Q(used__gte=0, charged__gte=0, uncharged__gte=0, limit_amount__gte=0),
                name="acc_bill_positive",
            ),
            models.CheckConstraint(condition=Q(state__in=BillState.values), name="acc_bill_state"),
            models.CheckConstraint(
                condition=Q(state="FREE", hold__isnull=True)
                | (~Q(state="FREE") & (Q(hold__isnull=False) | Q(limit_amount=0))),
                name="acc_bill_hold",
            ),
            models.CheckConstraint(
                condition=Q(state="CHARGED") | Q(charged=0), name="acc_bill_charged"
            ),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("charged")), name="acc_bill_refunded"
            ),
        )
        indexes = (
            models.Index(fields=("provider_job_id",), name="acc_bill_provider_job"),
            models.Index(
                fields=("ended_at",),
                condition=Q(state="AWAITING_USAGE"),
                name="acc_bill_awaiting",
            ),
            models.Index(fields=("account",), condition=~Q(deferred=0), name="acc_bill_deferred"),
            models.Index(fields=("account", "-created_at"), name="acc_bill_account"),
            models.Index(fields=("provider_id", "-created_at"), name="acc_bill_provider"),
        )

    def __str__(self) -> str:
        return f"{self.job_id}: {self.state}"
