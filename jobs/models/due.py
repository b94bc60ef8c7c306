"""The table of work that is due, and the workers that do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from jobs.models.job import Job


class Due(models.Model):
    """Work that must happen: the queue of every installation.

    Written in the transaction that made the work necessary, claimed with a lease, safe to repeat.
    `lane` groups work that must not crowd out other work (a provider); `key` makes a row unique
    while it is open.
    """

    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=64, help_text=_("id of what it is about"))
    lane = models.CharField(max_length=40, blank=True)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    parked_at = models.DateTimeField(
        null=True, blank=True, help_text=_("given up; an operator decides")
    )
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "due work"
        constraints = (
            models.UniqueConstraint(
                fields=("kind", "subject"),
                condition=Q(done_at__isnull=True),
                name="jobs_due_open_once",
            ),
        )
        indexes = (
            models.Index(
                fields=("due_at",),
                condition=Q(done_at__isnull=True, parked_at__isnull=True),
                name="jobs_due_open",
            ),
            models.Index(
                fields=("lane", "due_at"),
                condition=Q(done_at__isnull=True, parked_at__isnull=True),
                name="jobs_due_lanes",
            ),
            models.Index(
                fields=("lane",),
                condition=Q(done_at__isnull=True, lease_until__isnull=False),
                name="jobs_due_leased",
            ),
        )

    # What it is about, where whoever claimed the row has that in hand.
    job: Job | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} at {self.due_at:%Y-%m-%d %H:%M:%S}"


class WorkerBeat(models.Model):
    """When a worker was last alive."""

    name = models.CharField(max_length=64, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.seen_at:%H:%M:%S}"
