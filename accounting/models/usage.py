"""Usage records with their revisions, and what comes of those without a job."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounting.models.bill import JobBill
from accounting.models.ledger import Account
from accounting.models.message import UsageMessage
from accounting.models.pricing import PriceList


class RecordType(models.TextChoices):
    """What a record tells about. `key` of accounting/usage/records.py says what revises what."""

    JOB = "job", _("job")
    SUMMARY = "summary", _("summary of jobs")
    NORMALISED = "normalised", _("normalised summary of jobs")
    SYNC = "sync", _("count of jobs, to compare")
    CLOUD = "cloud", _("virtual machine")
    CLOUD_SUMMARY = "cloud-sum", _("summary of virtual machines")
    STORAGE = "storage", _("storage")
    ACCELERATOR = "accelerator", _("accelerator")
    PUBLIC_IP = "public-ip", _("public addresses")
    TEP = "tep", _("TEP record")
    TOTAL = "total", _("running total of a job, from a reporting interface")


class RecordState(models.TextChoices):
    UNMATCHED = "UNMATCHED", _("no job found")
    MATCHED = "MATCHED", _("matched, its job is not at its end")
    CHARGED = "CHARGED", _("charged")
    FREE = "FREE", _("not charged")
    HELD_BACK = "HELD_BACK", _("held back for an operator")


class UsageBill(models.Model):
    """What one provider's usage without a job of the portal comes to: storage, machines, summaries.

    One per natural key of its records: revisions and cumulative counters change `used`, and the
    difference is charged or refunded. No hold stands behind it: the account's overrun policy says
    how far a charge may go. `account` NULL: nobody is known by the names in the record.
    """

    natural_key = models.CharField(max_length=700, unique=True)
    provider_id = models.BigIntegerField(db_index=True)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, related_name="usage_bills", db_constraint=False
    )
    member_id = models.BigIntegerField(null=True)
    price_list = models.ForeignKey(PriceList, models.PROTECT, null=True, related_name="+")
    used = models.BigIntegerField(default=0)
    charged = models.BigIntegerField(default=0)
    refunded = models.BigIntegerField(default=0, help_text=_("as on the bill of a job"))
    uncharged = models.BigIntegerField(default=0)
    deferred = models.BigIntegerField(default=0, help_text=_("as on the bill of a job"))
    corrections = models.PositiveIntegerField(
        default=0, help_text=_("transfers; numbers their ids")
    )
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acc_usage_bill"
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(
                condition=Q(used__gte=0, charged__gte=0, uncharged__gte=0),
                name="acc_usage_bill_positive",
            ),
            models.CheckConstraint(
                condition=Q(charged=0) | Q(account__isnull=False), name="acc_usage_bill_account"
            ),
            models.CheckConstraint(
                condition=Q(refunded__gte=0, refunded__lte=F("charged")),
                name="acc_usage_bill_refunded",
            ),
        )
        indexes = (
            models.Index(
                fields=("account",), condition=~Q(deferred=0), name="acc_usage_bill_deferred"
            ),
        )

    def __str__(self) -> str:
        return f"{self.provider_id}: {self.charged} of {self.used}"


class UsageRecord(models.Model):
    """One record; a newer one with the same natural key is a new revision.

    The natural key begins with the provider, so that nobody revises another provider's records.
    `quantities` is what it measured, unit → whole smallest units (models/pricing.py); with
    `counter_of` they count since that thing began. `month` for all but job records.
    `cost` is what this record added to the price of its job's usage, in micro-credits.
    `bill` for usage of a job, `usage_bill` for usage without one. `decided_by` assigned or released
    it by hand.
    """

    natural_key = models.CharField(max_length=700)
    revision = models.PositiveIntegerField(default=1)
    superseded_by = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="supersedes", db_index=False
    )
    # That message and bill exist prove triggers: once for many records that come together.
    message = models.ForeignKey(
        UsageMessage,
        models.PROTECT,
        related_name="records",
        db_constraint=False,
        db_index=False,
    )
    type = models.CharField(max_length=12, choices=RecordType, default=RecordType.JOB)
    provider_id = models.BigIntegerField(null=True)
    site = models.CharField(max_length=255)
    local_job_id = models.CharField(max_length=255, blank=True)
    user_name = models.CharField(max_length=255, blank=True)
    group_name = models.CharField(max_length=255, blank=True)
    bill = models.ForeignKey(
        JobBill, models.PROTECT, null=True, related_name="usage_records", db_constraint=False
    )
    usage_bill = models.ForeignKey(
        UsageBill, models.PROTECT, null=True, related_name="usage_records", db_index=False
    )
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField()
    wall_seconds = models.BigIntegerField(null=True)
    cpu_seconds = models.BigIntegerField(null=True)
    processors = models.IntegerField(null=True)
    benchmark = models.CharField(max_length=12, default="none")
    level_milli = models.BigIntegerField(default=1000)
    quantities = models.JSONField(default=dict)
    month = models.DateField(null=True)
    counter_of = models.CharField(max_length=255, blank=True)
    chargeable = models.BooleanField(
        default=True, help_text=_("not a test, a quotation, a count, or of a running job")
    )
    fields = models.JSONField(help_text=_("the whole record"))
    state = models.CharField(max_length=9, choices=RecordState, default=RecordState.UNMATCHED)
    note = models.CharField(max_length=200, blank=True)
    lines = models.JSONField(default=list, help_text=_("price lines, as on a quote"))
    cost = models.BigIntegerField(null=True)
    decided_by = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "acc_usage_record"
        ordering = ("-id",)
        constraints = (
            # Of what was set aside; of the current ones there is one only.
            models.UniqueConstraint(
                fields=("natural_key", "revision"),
                condition=Q(superseded_by__isnull=False),
                name="acc_usage_revision",
            ),
            models.UniqueConstraint(
                fields=("natural_key",),
                condition=Q(superseded_by__isnull=True),
                name="acc_usage_current",
            ),
            models.CheckConstraint(
                condition=Q(revision__gte=1, level_milli__gt=0), name="acc_usage_positive"
            ),
            models.CheckConstraint(
                condition=Q(state__in=RecordState.values), name="acc_usage_state"
            ),
            models.CheckConstraint(
                condition=Q(wall_seconds__isnull=True) | Q(wall_seconds__gte=0),
                name="acc_usage_wall",
            ),
            models.CheckConstraint(
                condition=Q(cpu_seconds__isnull=True) | Q(cpu_seconds__gte=0), name="acc_usage_cpu"
            ),
            models.CheckConstraint(
                condition=Q(cost__isnull=True) | Q(cost__gte=0), name="acc_usage_cost"
            ),
            models.CheckConstraint(
                condition=~Q(state="CHARGED")
                | (Q(cost__isnull=False) & (Q(bill__isnull=False) | Q(usage_bill__isnull=False))),
                name="acc_usage_charged_has_cost",
            ),
            models.CheckConstraint(
                condition=Q(bill__isnull=True) | Q(usage_bill__isnull=True),
                name="acc_usage_one_bill",
            ),
        )
        indexes = (
            models.Index(fields=("message",), name="acc_usage_of_message"),
            models.Index(
                fields=("usage_bill",),
                condition=Q(usage_bill__isnull=False),
                name="acc_usage_of_bill",
            ),
            models.Index(
                fields=("provider_id", "local_job_id"),
                condition=Q(bill__isnull=True, superseded_by__isnull=True),
                name="acc_usage_jobless",
            ),
            models.Index(
                fields=("provider_id", "month", "site"),
                condition=Q(month__isnull=False, superseded_by__isnull=True),
                name="acc_usage_of_month",
            ),
            models.Index(
                fields=("provider_id", "counter_of"),
                condition=~Q(counter_of="") & Q(superseded_by__isnull=True),
                name="acc_usage_counter",
            ),
        )

    def __str__(self) -> str:
        return f"{self.site} {self.local_job_id} r{self.revision}"


class UsageMonth(models.Model):
    """How many jobs of a site in a month (UTC, by their end) have records here.

    Compared with what the site says it published (sync records); and a summary is never charged
    where there are job records of its site and month.
    """

    provider_id = models.BigIntegerField()
    site = models.CharField(max_length=255)
    submit_host = models.CharField(max_length=255, blank=True)
    month = models.DateField(help_text="its first day")
    jobs = models.BigIntegerField(default=0)

    class Meta:
        db_table = "acc_usage_month"
        constraints = (
            models.UniqueConstraint(
                fields=("provider_id", "month", "site", "submit_host"), name="acc_usage_month_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.site} {self.month:%Y-%m}: {self.jobs}"
