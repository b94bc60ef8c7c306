"""With whom a job is shared, and by which labels its viewers find it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from jobs.models.job import Job
from people.models import Group

SHARED, UNSHARED = "shared", "unshared"  # reasons of events whose text says with whom
SHARING = (SHARED, UNSHARED)


class JobShare(models.Model):
    """Lets a user, or every member of a group, see a job and its results."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="shares")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="shared_jobs"
    )
    group = models.ForeignKey(Group, models.CASCADE, null=True, related_name="shared_jobs")
    shared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("created_at", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(user__isnull=True) ^ Q(group__isnull=True), name="jobs_share_one"
            ),
            models.UniqueConstraint(
                fields=("job", "user"), condition=Q(user__isnull=False), name="jobs_share_user"
            ),
            models.UniqueConstraint(
                fields=("job", "group"), condition=Q(group__isnull=False), name="jobs_share_group"
            ),
        )

    def __str__(self) -> str:
        return f"{self.job_id} with {self.user or self.group}"


class JobLabel(models.Model):
    """A word by which the owner sorts jobs."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="labels")
    text = models.CharField(max_length=40)

    class Meta:
        ordering = ("text",)
        constraints = (models.UniqueConstraint(fields=("job", "text"), name="jobs_label_once"),)
        indexes = (models.Index(fields=("text",), name="jobs_label_text"),)

    def __str__(self) -> str:
        return self.text
