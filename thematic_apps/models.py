"""Thematic applications: a subject, its area, its services, and who may open it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Group
from providers.models import Service


class Visibility(models.TextChoices):
    PRIVATE = "private", _("owner only")
    GROUPS = "groups", _("members of its groups")
    PUBLIC = "public", _("everybody who is signed in")


class ThematicApp(models.Model):
    """What a researcher opens: a map over an area with a selection of services."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    help_text = models.TextField(blank=True, help_text=_("Markdown"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="apps")
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PRIVATE)
    groups = models.ManyToManyField(Group, blank=True, related_name="apps")
    services = models.ManyToManyField(Service, blank=True, related_name="apps")
    # west, south, east, north in degrees
    west = models.FloatField(default=-180)
    south = models.FloatField(default=-90)
    east = models.FloatField(default=180)
    north = models.FloatField(default=90)
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True)
    collections = models.JSONField(
        default=list,
        blank=True,
        help_text=_("identifiers of catalogue collections shown on the map"),
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("title",)

    def __str__(self) -> str:
        return self.title

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        return (self.west, self.south, self.east, self.north)


class OfferStamp(models.Model):
    """One row, another value after every change of what somebody may use or how it is described.

    Written by the database itself in the transaction of the change (migration 0002), so that no way
    of writing can forget it; read by `thematic_apps.stamp`.
    """

    value = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.value
