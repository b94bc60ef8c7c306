"""Usage messages as received and the records in them, with their revisions."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounting.models.bill import JobBill


class MessageState(models.TextChoices):
    LOADED = "LOADED", _("loaded")
    PARTLY = "PARTLY", _("partly")
    REJECTED = "REJECTED", _("rejected")


class UsageMessage(models.Model):
    """One message, known by the SHA-256 of its body: the same body has its effect once."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    source = models.CharField(max_length=16, help_text=_("dirq, rest, upload"))
    signer = models.CharField(max_length=255, blank=True)
    provider_id = models.BigIntegerField(null=True, db_index=True)
    header = models.CharField(max_length=80, blank=True)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=MessageState)
    records_count = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(default=list)
    errors = models.JSONField(default=list)
    body = models.TextField()

    class Meta:
        db_table = "acc_usage_message"
        ordering = ("-received_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="acc_usage_message_state"
            ),
        )

    def __str__(self) -> str:
        return f"{self.header} {self.sha256[:12]}"


class RecordState(models.TextChoices):
    UNMATCHED = "UNMATCHED", _("no job found")
    MATCHED = "MATCHED", _("matched, its job is not at its end")
    CHARGED = "CHARGED", _("charged")
    FREE = "FREE", _("not charged")
    HELD_BACK = "HELD_BACK", _("held back for an operator")


class UsageRecord(models.Model):
    """One record; a newer one with the same natural key is a new revision.

    The natural key begins with the provider, so that nobody revises another provider's records.
    `cost` is what this record added to the price of its job's usage, in micro-credits.
    """

    natural_key = models.CharField(max_length=700)
    revision = models.PositiveIntegerField(default=1)
    superseded_by = models.ForeignKey("self", models.PROTECT, null=True, related_name="supersedes")
    message = models.ForeignKey(UsageMessage, models.PROTECT, related_name="records")
    type = models.CharField(max_length=12, default="job")
    provider_id = models.BigIntegerField(null=True)
    site = models.CharField(max_length=255)
    local_job_id = models.CharField(max_length=255, db_index=True)
    bill = models.ForeignKey(JobBill, models.PROTECT, null=True, related_name="usage_records")
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField()
    wall_seconds = models.BigIntegerField(null=True)
    cpu_seconds = models.BigIntegerField(null=True)
    processors = models.IntegerField(null=True)
    benchmark = models.CharField(max_length=12, default="none")
    level_milli = models.BigIntegerField(default=1000)
    fields = models.JSONField(help_text=_("the whole record"))
    state = models.CharField(max_length=9, choices=RecordState, default=RecordState.UNMATCHED)
    note = models.CharField(max_length=200, blank=True)
    lines = models.JSONField(default=list, help_text=_("price lines, as on a quote"))
    cost = models.BigIntegerField(null=True)

    class Meta:
        db_table = "acc_usage_record"
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("natural_key", "revision"), name="acc_usage_revision"),
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
                condition=~Q(state="CHARGED") | Q(cost__isnull=False, bill__isnull=False),
                name="acc_usage_charged_has_cost",
            ),
        )
        indexes = (
            models.Index(
                fields=("provider_id", "local_job_id"),
                condition=Q(state="UNMATCHED", superseded_by__isnull=True),
                name="acc_usage_unmatched",
            ),
        )

    def __str__(self) -> str:
        return f"{self.site} {self.local_job_id} r{self.revision}"
