"""Where usage messages are fetched from, and whom the names in them mean."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounting.models.ledger import Account


class UsageSource(models.Model):
    """A place that is asked for usage again and again: a queue, a broker, a reporting interface.

    `kind` names an adapter (accounting/sources/registry.py). `secret` and `decryption_key` are
    encrypted. `cursor` is what the adapter needs to go on after what is committed.
    """

    provider_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    address = models.CharField(max_length=2000, help_text=_("folder, host:port or URL"))
    destination = models.CharField(
        max_length=300, blank=True, help_text=_("queue; for AMS project/subscription")
    )
    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, help_text=_("password or token, encrypted"))
    options = models.JSONField(default=dict, blank=True)
    signed = models.BooleanField(default=False, help_text=_("only messages with a valid signature"))
    signers = models.JSONField(
        default=list, blank=True, help_text=_("allowed signers: /C=XX/O=…/CN=host, one each")
    )
    authorities = models.TextField(blank=True, help_text=_("trusted certificates, PEM"))
    decryption_key = models.TextField(
        blank=True, help_text=_("our key for encrypted messages, PEM, encrypted")
    )
    every_seconds = models.PositiveIntegerField(default=60)
    enabled = models.BooleanField(default=True)
    cursor = models.CharField(max_length=500, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_message_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0, help_text=_("in a row"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "acc_usage_source"
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name


NAME_KINDS = (("user", _("user")), ("group", _("group")))


class UsageName(models.Model):
    """Whose account a name in a provider's records stands for, for usage without a job.

    `kind` user: GlobalUserName, LocalUserId, account.username; group: VO, FQAN, local group.
    """

    provider_id = models.BigIntegerField()
    kind = models.CharField(max_length=5, choices=NAME_KINDS)
    name = models.CharField(max_length=255)
    account = models.ForeignKey(Account, models.PROTECT, related_name="usage_names")
    created_by = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "acc_usage_name"
        ordering = ("provider_id", "kind", "name")
        constraints = (
            models.UniqueConstraint(
                fields=("provider_id", "kind", "name"), name="acc_usage_name_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} at {self.provider_id}: {self.account_id}"
