"""Processing providers: where they are, what they may, and how they are."""

from __future__ import annotations

import json

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from common.crypto import decrypt
from providers.ports import IN_PROCESS, Endpoint


class ProviderState(models.TextChoices):
    PENDING = "pending", _("waiting for approval")
    APPROVED = "approved", _("approved")
    SUSPENDED = "suspended", _("suspended")


class CopyPolicy(models.TextChoices):
    """When the portal keeps a copy of a result of its own."""

    NEVER = "never", _("never")
    REQUEST = "request", _("when a user asks for it")
    ALWAYS = "always", _("always, at the end of the job")


class Provider(models.Model):
    """A processing provider: an endpoint that speaks a protocol of some driver."""

    # No dot: a public identifier is `<slug>.<process identifier>`, split at the first dot.
    slug = models.CharField(
        max_length=40, unique=True, validators=(RegexValidator(r"^[a-z0-9][a-z0-9-]{1,39}\Z"),)
    )
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="providers")
    protocol = models.CharField(max_length=20, default="wps-1.0")
    url = models.CharField(max_length=2000)
    state = models.CharField(max_length=10, choices=ProviderState, default=ProviderState.PENDING)
    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, help_text=_("password, encrypted"))
    secret_headers = models.TextField(
        blank=True, help_text=_("headers sent with every request, JSON, encrypted")
    )
    extra_hosts = models.JSONField(
        default=list,
        blank=True,
        help_text=_("hosts besides the URL's own, confirmed by an operator"),
    )
    public_hosts = models.JSONField(
        default=list,
        blank=True,
        help_text=_("public storage, confirmed by an operator: results there keep their address"),
    )
    reference_header = models.CharField(max_length=60, blank=True, default="X-Remote-Ref")
    trusted = models.BooleanField(
        default=False,
        help_text=_("is told who runs a job: identity headers and the portal's own inputs"),
    )
    identity_header_prefix = models.CharField(
        max_length=30, blank=True, default="X-Remote-", help_text=_("…User, …Domain, …Role")
    )
    pinned_certificate = models.CharField(
        max_length=64, blank=True, help_text=_("SHA-256 of the only certificate to be accepted")
    )
    pending_certificate = models.CharField(
        max_length=64, blank=True, help_text=_("seen or given, and not yet activated")
    )
    properties = models.JSONField(
        default=dict, blank=True, help_text=_("custom properties, name → text")
    )
    lookup_url = models.CharField(max_length=2000, blank=True)
    usage_site = models.CharField(
        max_length=255, blank=True, help_text=_("Site of its APEL records")
    )
    usage_queue = models.CharField(max_length=500, blank=True, help_text=_("directory queue"))
    usage_keep_good = models.BooleanField(
        default=False,
        help_text=_("of a message with bad records, load the good and quarantine the bad"),
    )
    usage_without_jobs = models.BooleanField(
        default=False,
        help_text=_("may charge accounts for usage without a job: storage, machines, summaries"),
    )
    charge_unsuccessful = models.BooleanField(
        default=False, help_text=_("charge what failed and dismissed jobs used")
    )
    max_running_jobs = models.PositiveIntegerField(default=0, help_text=_("0: no limit"))
    max_running_jobs_per_user = models.PositiveIntegerField(default=0, help_text=_("0: no limit"))
    max_connections = models.PositiveSmallIntegerField(default=32)
    retry_attempts = models.PositiveIntegerField(default=48)
    retry_wait_seconds = models.PositiveIntegerField(default=3600)
    copy_results = models.CharField(max_length=8, choices=CopyPolicy, default=CopyPolicy.REQUEST)
    results_kept_days = models.PositiveIntegerField(
        default=0, help_text=_("how long the provider keeps results; 0: not known")
    )
    discovery_seconds = models.PositiveIntegerField(
        default=0, help_text=_("0: as the portal is set")
    )
    probe_seconds = models.PositiveIntegerField(
        default=300, help_text=_("how often its health is looked at; 0: never")
    )
    probed_at = models.DateTimeField(null=True, blank=True)
    failure_mails = models.BooleanField(
        default=True, help_text=_("mail to the owner when it fails, and when it is back")
    )
    failure_mailed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    discovered_at = models.DateTimeField(null=True, blank=True)
    discovery_error = models.TextField(blank=True)
    last_answer_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def approved(self) -> bool:
        return self.state == ProviderState.APPROVED

    @property
    def in_process(self) -> bool:
        """It is the portal's own: free, for every user, run where it is asked for."""
        return self.protocol == IN_PROCESS  # see `providers.own`

    def endpoint(self) -> Endpoint:
        """What a driver needs to call this provider."""
        return Endpoint(
            url=self.url,
            username=self.username,
            password=decrypt(self.secret) if self.secret else "",
            headers=tuple(json.loads(decrypt(self.secret_headers)).items())
            if self.secret_headers
            else (),
            certificate=self.pinned_certificate,
            extra_hosts=tuple(self.extra_hosts),
            reference_header=self.reference_header,
            lookup_url=self.lookup_url,
        )
