"""Addresses that are told how a job goes on."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.models.job import Job


class CallbackEvent(models.TextChoices):
    """As of OGC API – Processes, requirements class callback (18-062r2 §11)."""

    SUCCESS = "success", _("succeeded")
    FAILED = "failed", _("failed or dismissed")
    IN_PROGRESS = "inProgress", _("progress")


class CallbackState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    DELIVERED = "delivered", _("delivered")
    GIVEN_UP = "given_up", _("given up")


class JobCallback(models.Model):
    """One address for one event of one job; requests to it are signed.

    What is sent is the job as it is then; an end is told once, progress when it was made.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="callbacks")
    event = models.CharField(max_length=10, choices=CallbackEvent)
    url = models.CharField(max_length=2000)
    state = models.CharField(max_length=9, choices=CallbackState, default=CallbackState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=("job", "event", "url"), name="jobs_callback_once"),
        )

    def __str__(self) -> str:
        return f"{self.job_id} {self.event}"
