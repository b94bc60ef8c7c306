"""Catalogues of others: where they are, what they can do, how they are."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalogue_client.models.catalogue import Visibility, group_named
from people.models import Group


class SourceKind(models.TextChoices):
    STAC_API = "stac-api", "STAC API"
    STATIC_STAC = "static-stac", _("static STAC catalogue")
    OGC_RECORDS = "ogc-records", "OGC API – Records"
    OPENSEARCH = "opensearch", "OpenSearch"
    CSW = "csw", "CSW 2.0.2"


class CatalogueSource(models.Model):
    """A catalogue that is searched where it is. Public ones have been approved by an operator."""

    slug = models.CharField(
        max_length=40, unique=True, validators=(RegexValidator(r"^[a-z0-9][a-z0-9-]{1,39}\Z"),)
    )
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    url = models.CharField(max_length=2000)
    kind = models.CharField(max_length=12, choices=SourceKind)
    abilities = models.JSONField(default=list, help_text=_("what it can do itself in a search"))
    facts = models.JSONField(default=dict, help_text=_("what its adapter found out"))

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    visibility = models.CharField(max_length=7, choices=Visibility, default=Visibility.PRIVATE)
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+")
    approved = models.BooleanField(
        default=False, help_text=_("an operator vouches for the address; needed to be public")
    )

    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, help_text=_("password, encrypted"))
    secret_headers = models.TextField(
        blank=True, help_text=_("headers sent with every request, JSON, encrypted")
    )

    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    check_error = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True, help_text=_("last good answer"))
    crawled_at = models.DateTimeField(null=True, blank=True)
    crawl_notes = models.JSONField(default=list, help_text=_("what the last crawl left out"))

    class Meta:
        ordering = ("name", "pk")
        constraints = (group_named("catalogue_source"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_crawled(self) -> bool:
        """It cannot be searched where it is: the portal reads it and searches its own copy."""
        return self.kind == SourceKind.STATIC_STAC

    @property
    def waits(self) -> bool:
        """It is to be public and no operator has approved it yet."""
        return self.visibility == Visibility.PUBLIC and not self.approved


class CachedRecord(models.Model):
    """An entry of a crawled source, as it was when the crawl came by."""

    source = models.ForeignKey(CatalogueSource, models.CASCADE, related_name="records")
    collection = models.CharField(max_length=500, blank=True)
    identifier = models.CharField(max_length=500)
    document = models.JSONField()
    words = models.TextField(blank=True)
    west = models.FloatField(null=True)
    south = models.FloatField(null=True)
    east = models.FloatField(null=True)
    north = models.FloatField(null=True)
    start = models.DateTimeField(null=True)
    end = models.DateTimeField(null=True)
    crawl = models.UUIDField(help_text=_("the crawl that saw it last"))

    class Meta:
        ordering = ("-start", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("source", "collection", "identifier"), name="catalogue_cached_once"
            ),
            models.CheckConstraint(
                condition=Q(west__isnull=True, east__isnull=True, south__isnull=True)
                | Q(west__isnull=False, east__isnull=False, south__isnull=False),
                name="catalogue_cached_box",
            ),
        )
        indexes = (models.Index(fields=("source", "-start", "-id"), name="catalogue_cached_new"),)

    def __str__(self) -> str:
        return f"{self.collection}/{self.identifier}"
