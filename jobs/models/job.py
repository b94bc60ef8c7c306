"""Jobs and their append-only events."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounting.models import Account, Quote
from jobs.states import FINAL, State
from providers.models import Service, ServiceVersion
from providers.process import ExecuteRequest, Format, InputValue, OutputRequest, value_from_json
from thematic_apps.models import ThematicApp

if TYPE_CHECKING:
    from jobs.models.output import JobOutput


class Door(models.TextChoices):
    """Where a job came from."""

    WEB = "web", _("web pages")
    WPS = "wps", "WPS"
    OGCAPI = "ogcapi", "OGC API – Processes"
    REST = "rest", "REST"


class Job(models.Model):
    """One run of a service, asked for by a user and paid by an account.

    `state` is written only by `jobs.lifecycle`. `remote_handle` is the provider's address to ask
    for the status: it never leaves the portal.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_constraint=False)
    service = models.ForeignKey(Service, models.PROTECT, related_name="jobs")
    service_version = models.ForeignKey(ServiceVersion, models.PROTECT, related_name="+")
    application = models.ForeignKey(
        ThematicApp, models.SET_NULL, null=True, blank=True, related_name="jobs"
    )
    quote = models.OneToOneField(Quote, models.PROTECT, related_name="job")
    door = models.CharField(max_length=8, choices=Door)
    # NULL, not "": the unique constraint must not count jobs without a key.
    idempotency_key = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001
    fingerprint = models.CharField(max_length=64, help_text=_("SHA-256 of service and inputs"))
    inputs = models.JSONField(default=list, help_text=_("InputValue documents"))
    requested_outputs = models.JSONField(default=list, help_text=_("OutputRequest documents"))

    raw = models.BooleanField(
        default=False, help_text=_("the caller asked for the bare output, not for a document")
    )
    cloned_from = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="clones"
    )
    mail_at_end = models.BooleanField(default=False)

    state = models.CharField(max_length=16, choices=State, default=State.VALIDATED)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    message = models.TextField(blank=True)
    error = models.TextField(blank=True)
    remote_handle = models.TextField(blank=True)
    remote_id = models.CharField(max_length=255, blank=True, db_index=True)
    outcome_unknown = models.BooleanField(
        default=False, help_text=_("sent, and the answer was lost: never sent again by itself")
    )
    attempts = models.PositiveIntegerField(default=0, help_text=_("tries to hand it over"))
    unreachable_since = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(
        null=True, blank=True, help_text=_("when it was dismissed; the provider is told after that")
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    next_poll_at = models.DateTimeField(
        null=True, blank=True, help_text=_("when the provider wished to be asked again")
    )
    results_expire_at = models.DateTimeField(
        null=True, blank=True, help_text=_("until when the provider keeps the results, if known")
    )

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "idempotency_key"),
                condition=Q(idempotency_key__isnull=False),
                name="jobs_idempotency_key_once",
            ),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) | Q(percent__lte=100), name="jobs_percent"
            ),
        )
        indexes = (
            models.Index(fields=("owner", "-created_at"), name="jobs_of_owner"),
            models.Index(fields=("account", "-created_at"), name="jobs_of_account"),
            models.Index(fields=("service", "state"), name="jobs_of_service"),
        )

    # The outputs, in their order, where they were stored a moment ago (`jobs.outputs`).
    known_outputs: list[JobOutput] | None = None
    # False where it is known that nobody is to be told of it (`jobs.callbacks`).
    calls_back: bool = True

    def __str__(self) -> str:
        return f"{self.title or self.service} {self.id}"

    @property
    def given_outputs(self) -> QuerySet[JobOutput]:
        """What the run itself gave, without the files that those outputs only tell of."""
        return self.outputs.filter(found_in=None).order_by("number")

    @property
    def final(self) -> bool:
        return self.state in FINAL

    def request(self) -> ExecuteRequest:
        """What is asked of the provider, in no protocol's words."""
        outputs = tuple(
            OutputRequest(
                o["identifier"],
                o["as_reference"],
                Format(**o["format"]) if o["format"] else None,
            )
            for o in self.requested_outputs
        )
        return ExecuteRequest(self.service.identifier, self.input_values, outputs)

    @property
    def input_values(self) -> tuple[InputValue, ...]:
        return tuple(value_from_json(v) for v in self.inputs)


class JobEvent(models.Model):
    """What happened to a job; never changed or deleted."""

    job = models.ForeignKey(Job, models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    old_state = models.CharField(max_length=16, blank=True)
    new_state = models.CharField(max_length=16)
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    actor = models.CharField(max_length=64, help_text=_("user:<id> or the part of the portal"))
    scheme = models.CharField(max_length=20, blank=True, help_text=_("native vocabulary"))
    word = models.CharField(max_length=40, blank=True, help_text=_("native word"))
    reason = models.CharField(max_length=40, blank=True, help_text=_("stable code"))
    text = models.TextField(blank=True)

    class Meta:
        ordering = ("job", "number")
        constraints = (
            models.UniqueConstraint(fields=("job", "number"), name="jobs_event_number_once"),
        )

    def __str__(self) -> str:
        return f"{self.job_id} #{self.number} {self.new_state}"
