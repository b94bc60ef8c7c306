"""Viewers: tools that show results, and which result is shown where."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalogue_client.models.catalogue import Item
from people.models import Group


class Viewer(models.Model):
    """A tool that an operator registered. `adapter` names who speaks with it (viewers/registry.py).

    `secret` is encrypted, and goes to the scheme, host and port of `address` alone.
    """

    code = models.SlugField(max_length=40, unique=True, help_text=_("in the offerings of entries"))
    label = models.CharField(max_length=60, help_text=_("as in “View in …”"))
    adapter = models.CharField(max_length=20)
    address = models.CharField(max_length=1000)
    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, help_text=_("password or token, encrypted"))
    media_types = models.JSONField(default=list, blank=True, help_text=_("empty: the adapter's"))
    options = models.JSONField(default=dict, blank=True)
    groups = models.ManyToManyField(
        Group, blank=True, related_name="+", help_text=_("who may use it; none: everybody")
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("label", "pk")

    def __str__(self) -> str:
        return self.label


class ViewState(models.TextChoices):
    """QUEUED → SENDING → WORKING → READY; FAILED ends it until somebody asks again."""

    QUEUED = "queued", _("waits to be sent")
    SENDING = "sending", _("is being sent")
    WORKING = "working", _("is being prepared there")
    READY = "ready", _("can be seen")
    FAILED = "failed", _("failed")


class Visualisation(models.Model):
    """One file of an entry in one viewer. `token` is in its name there, so that it can be found.

    `content` says which bytes: their checksum, else address and length. `handle` is what the
    adapter needs to find it again; `public` whether everybody may see it there.
    """

    viewer = models.ForeignKey(Viewer, models.PROTECT, related_name="visualisations")
    item = models.ForeignKey(Item, models.CASCADE, related_name="visualisations")
    asset = models.CharField(max_length=300)
    content = models.CharField(max_length=2100)
    token = models.UUIDField(default=uuid.uuid4, unique=True)
    state = models.CharField(max_length=7, choices=ViewState, default=ViewState.QUEUED)
    public = models.BooleanField(default=False)
    handle = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    error = models.CharField(max_length=500, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    asked_by = models.BigIntegerField(null=True, blank=True)
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("item", "viewer", "asset")
        constraints = (
            models.UniqueConstraint(
                fields=("viewer", "item", "asset"), name="catalogue_visualisation_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="ready") | ~models.Q(url=""),
                name="catalogue_visualisation_url",
            ),
        )
        indexes = (models.Index(fields=("state", "public"), name="catalogue_visualisation_state"),)

    def __str__(self) -> str:
        return f"{self.item_id}/{self.asset} in {self.viewer_id}"
