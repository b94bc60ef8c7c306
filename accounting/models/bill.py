"""The bill of a job: what ties its quote, hold, usage records and charge together."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounting.models.ledger import Account, Transfer
from accounting.models.pricing import PriceList, Quote


class BillState(models.TextChoices):
    OPEN = "OPEN", _("held, the job is not at its end")
    AWAITING_USAGE = "AWAITING_USAGE", _("the job ended, its usage is not reported yet")
    CHARGED = "CHARGED", _("charged")
    RELEASED = "RELEASED", _("released, nothing charged")
    FREE = "FREE", _("free of charge, nothing held")


class JobBill(models.Model):
    """One per job, from the hold to the settlement.

    CHARGED means settled from usage: `charged` is the lesser of `used` and the quote's total (less
    only where the ledger refused a late charge), and may be 0.
    `provider_job_id` is the provider's own identifier of the job, learnt after dispatch: usage
    records name the job by it or by `job_id`.
    """

    job_id = models.UUIDField(primary_key=True)
    quote = models.OneToOneField(Quote, models.PROTECT, related_name="bill")
    account = models.ForeignKey(Account, models.PROTECT, related_name="bills", db_constraint=False)
    member_id = models.BigIntegerField()
    provider_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    price_list = models.ForeignKey(PriceList, models.PROTECT, null=True, related_name="+")
    charge_unsuccessful = models.BooleanField(default=False)
    # A free job has no hold: transfers are of more than nothing.
    hold = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="bill")
    charge = models.OneToOneField(Transfer, models.PROTECT, null=True, related_name="+")
    provider_job_id = models.CharField(max_length=255, blank=True, db_index=True)
    state = models.CharField(max_length=14, choices=BillState, default=BillState.OPEN)
    successful = models.BooleanField(null=True)
    ended_at = models.DateTimeField(null=True)
    used = models.BigIntegerField(default=0, help_text=_("price of the usage reported so far"))
    charged = models.BigIntegerField(default=0)
    uncharged = models.BigIntegerField(default=0, help_text=_("used, and not charged"))
    corrections = models.PositiveIntegerField(
        default=0, help_text=_("transfers after the hold was resolved; numbers their ids")
    )
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acc_job_bill"
        constraints = (
            models.CheckConstraint(
                condition=Q(used__gte=0, charged__gte=0, uncharged__gte=0), name="acc_bill_positive"
            ),
            models.CheckConstraint(condition=Q(state__in=BillState.values), name="acc_bill_state"),
            models.CheckConstraint(
                condition=Q(state="FREE", hold__isnull=True)
                | (~Q(state="FREE") & Q(hold__isnull=False)),
                name="acc_bill_hold",
            ),
            models.CheckConstraint(
                condition=Q(state="CHARGED") | Q(charged=0), name="acc_bill_charged"
            ),
        )
        indexes = (
            models.Index(
                fields=("ended_at",),
                condition=Q(state="AWAITING_USAGE"),
                name="acc_bill_awaiting",
            ),
            models.Index(fields=("account", "-created_at"), name="acc_bill_account"),
            models.Index(fields=("provider_id", "-created_at"), name="acc_bill_provider"),
        )

    def __str__(self) -> str:
        return f"{self.job_id}: {self.state}"
