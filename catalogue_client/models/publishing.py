"""Catalogues elsewhere that the portal writes results into, and how far it is with each."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalogue_client.models.catalogue import Item
from people.models import Group


class TargetKind(models.TextChoices):
    STAC = "stac", _("STAC API with transactions")
    ATOM = "atom", _("Atom index")


class PublishTarget(models.Model):
    """A catalogue elsewhere. Its credentials are for the origin of `url` alone.

    Members of `groups` (nobody named: everybody) may publish to it. With `automatic` every result
    goes there whose visibility and provider are among those named here.
    """

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=4, choices=TargetKind, default=TargetKind.STAC)
    url = models.CharField(max_length=500)
    collection = models.CharField(
        max_length=100, blank=True, help_text=_("there; empty: as it is called here")
    )
    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, help_text=_("password or token, encrypted"))
    groups = models.ManyToManyField(Group, blank=True, related_name="publish_targets")
    automatic = models.BooleanField(default=False)
    visibilities = models.JSONField(default=list, blank=True)
    providers = models.JSONField(default=list, blank=True, help_text=_("slugs; none named: all"))
    enabled = models.BooleanField(default=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class PublicationState(models.TextChoices):
    PENDING = "pending", _("waiting")
    PUBLISHING = "publishing", _("being written")
    PUBLISHED = "published", _("published")
    FAILED = "failed", _("failed")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Publication(models.Model):
    """One result at one target: what is wanted there, and how far that is.

    `wanted` says whether it is to be there. `revision` is the item's that was read back last. What
    is known of the record there stays in `remote` until it is known to be gone, so that nothing is
    left behind unseen.
    """

    target = models.ForeignKey(PublishTarget, models.PROTECT, related_name="publications")
    item = models.ForeignKey(Item, models.CASCADE, related_name="publications")
    job_id = models.UUIDField()
    wanted = models.BooleanField(default=True)
    automatic = models.BooleanField(default=False, help_text=_("by the target's rules"))
    state = models.CharField(
        max_length=10, choices=PublicationState, default=PublicationState.PENDING
    )
    revision = models.PositiveIntegerField(default=0)
    remote = models.JSONField(default=dict, blank=True, help_text=_("ids of its records there"))
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("target__name",)
        constraints = (
            models.UniqueConstraint(fields=("job_id", "target"), name="catalogue_published_once"),
            models.CheckConstraint(
                condition=~Q(state=PublicationState.PUBLISHED) | Q(wanted=True),
                name="catalogue_published_is_wanted",
            ),
        )
        indexes = (models.Index(fields=("target", "-updated_at"), name="catalogue_publications"),)

    def __str__(self) -> str:
        return f"{self.job_id} at {self.target_id}: {self.state}"
