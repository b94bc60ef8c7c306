"""Data packages: references to entries of catalogues and saved searches, kept together."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalogue_client.models.catalogue import Visibility, group_named
from catalogue_client.models.source import CatalogueSource
from people.models import Group


class DataPackage(models.Model):
    """Data for a purpose, under one address. Everybody has at most one basket, which is private."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    visibility = models.CharField(max_length=7, choices=Visibility, default=Visibility.PRIVATE)
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+")
    basket = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("-basket", "-updated_at")
        constraints = (
            group_named("catalogue_package"),
            models.UniqueConstraint(
                fields=("owner",), condition=Q(basket=True), name="catalogue_basket_once"
            ),
            models.CheckConstraint(
                condition=Q(basket=False) | Q(visibility=Visibility.PRIVATE),
                name="catalogue_basket_private",
            ),
        )

    def __str__(self) -> str:
        return self.title


class PackageEntry(models.Model):
    """An entry of a catalogue, or a search in one; without a source it is the portal's own.

    `document` is what another catalogue said of the entry at `fetched_at`; of the portal's own
    nothing is copied. `query` is a search as `sources.queries` writes it.
    """

    package = models.ForeignKey(DataPackage, models.CASCADE, related_name="entries")
    source = models.ForeignKey(
        CatalogueSource, models.CASCADE, null=True, blank=True, related_name="+"
    )
    title = models.CharField(max_length=300)
    collection = models.CharField(max_length=500, blank=True)
    identifier = models.CharField(max_length=500, blank=True)
    document = models.JSONField(default=dict, blank=True)
    query = models.JSONField(null=True, blank=True, help_text=_("of a saved search"))
    fetched_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        verbose_name_plural = "package entries"
        constraints = (
            models.UniqueConstraint(
                fields=("package", "source", "collection", "identifier"),
                condition=Q(query__isnull=True, source__isnull=False),
                name="catalogue_entry_once",
            ),
            models.UniqueConstraint(
                fields=("package", "collection", "identifier"),
                condition=Q(query__isnull=True, source__isnull=True),
                name="catalogue_own_entry_once",
            ),
            models.CheckConstraint(
                condition=Q(query__isnull=False, identifier="")
                | (Q(query__isnull=True) & ~Q(identifier="")),
                name="catalogue_entry_or_search",
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_search(self) -> bool:
        return self.query is not None
