"""Usage messages as received, and what in them waits for a correction."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class MessageState(models.TextChoices):
    LOADED = "LOADED", _("loaded")
    PARTLY = "PARTLY", _("partly")
    REJECTED = "REJECTED", _("rejected")


class UsageMessage(models.Model):
    """One message, known by its sender and body: the same from the same has its effect once.

    PARTLY: the good records are loaded, the bad ones are in quarantine.
    """

    id = models.CharField(
        primary_key=True, max_length=64, help_text=_("SHA-256 over the sender and the body")
    )
    source = models.CharField(max_length=16, help_text=_("dirq, rest, upload, stomp, ams, pull"))
    signer = models.CharField(max_length=255, blank=True)
    provider_id = models.BigIntegerField(null=True, db_index=True)
    header = models.CharField(max_length=80, blank=True)
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=MessageState)
    records_count = models.PositiveIntegerField(default=0)
    warnings = models.JSONField(default=list)
    errors = models.JSONField(default=list)
    body = models.TextField()
    retried_by = models.CharField(max_length=64, blank=True)
    dropped_by = models.CharField(
        max_length=64, blank=True, help_text=_("who said that nobody has to look at it any more")
    )

    class Meta:
        db_table = "acc_usage_message"
        ordering = ("-received_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="acc_usage_message_state"
            ),
        )

    def __str__(self) -> str:
        return f"{self.header} {self.pk[:12]}"


class QuarantinedRecord(models.Model):
    """A bad record of a message whose good ones were loaded; waits for somebody's decision."""

    message = models.ForeignKey(UsageMessage, models.PROTECT, related_name="quarantined")
    provider_id = models.BigIntegerField(null=True, db_index=True)
    line = models.PositiveIntegerField()
    text = models.TextField(help_text=_("the record as it came"))
    faults = models.JSONField(help_text=_("{line, field, reason} each"))
    state = models.CharField(
        max_length=8,
        choices=(
            ("WAITING", _("waiting")),
            ("LOADED", _("loaded after correction")),
            ("DROPPED", _("dropped")),
        ),
        default="WAITING",
    )
    decided_by = models.CharField(max_length=64, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "acc_usage_quarantine"
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("message", "line"), name="acc_usage_quarantine_once"),
        )

    def __str__(self) -> str:
        return f"line {self.line} of {self.message_id}"
