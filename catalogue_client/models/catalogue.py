"""The embedded catalogue: collections, their items, and the number of the last change."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalogue_client.geometry import Box
from people.models import Group


class Visibility(models.TextChoices):
    PRIVATE = "private", _("owner only")
    GROUP = "group", _("members of its group")
    PUBLIC = "public", _("everybody")


class ItemState(models.TextChoices):
    PUBLISHED = "published", _("published")
    WITHDRAWN = "withdrawn", _("withdrawn")


def group_named(prefix: str) -> models.CheckConstraint:
    """What is for a group names it."""
    return models.CheckConstraint(
        condition=~Q(visibility=Visibility.GROUP) | Q(group__isnull=False),
        name=f"{prefix}_group_named",
    )


class Collection(models.Model):
    """Items that belong together. Its extent is what the viewer may see of its items."""

    identifier = models.CharField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    description = models.TextField()
    license = models.CharField(max_length=50, default="other", help_text=_("SPDX or “other”"))
    keywords = models.JSONField(default=list, blank=True)
    providers = models.JSONField(default=list, blank=True, help_text=_("STAC provider objects"))
    links = models.JSONField(default=list, blank=True, help_text=_("STAC links, e.g. the licence"))
    summaries = models.JSONField(default=dict, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    visibility = models.CharField(max_length=7, choices=Visibility, default=Visibility.PUBLIC)
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("identifier",)
        constraints = (group_named("catalogue_collection"),)

    def __str__(self) -> str:
        return self.title


class Item(models.Model):
    """One entry: its STAC document, and beside it what searches and permissions need.

    The document holds what does not depend on who asks where: addresses of the portal are paths in
    it, and the links that STAC derives from an item's place are added when it is written. A deleted
    item stays as a tombstone. `job_id` is no foreign key: the catalogue does not know jobs.
    """

    collection = models.ForeignKey(Collection, models.PROTECT, related_name="items")
    identifier = models.CharField(max_length=200)
    title = models.CharField(max_length=300, blank=True)
    words = models.TextField(blank=True, help_text=_("lower-case text that searches look into"))
    document = models.JSONField()
    offerings = models.JSONField(
        default=list, blank=True, help_text=_("OWS Context offerings of the item as a whole")
    )
    attached = models.JSONField(
        default=dict,
        blank=True,
        help_text=_("what was added later: name → asset, offerings, links"),
    )
    west = models.FloatField()
    south = models.FloatField()
    east = models.FloatField()
    north = models.FloatField()
    crosses_antimeridian = models.BooleanField(default=False)
    start = models.DateTimeField()
    end = models.DateTimeField()
    # What searches ask most often of the document's properties; null where it is of another kind.
    instant = models.DateTimeField(null=True, blank=True, help_text=_("the property “datetime”"))
    cloud_cover = models.FloatField(null=True, blank=True)
    gsd = models.FloatField(null=True, blank=True)
    platform = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 (see above)
    constellation = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    visibility = models.CharField(max_length=7, choices=Visibility, default=Visibility.PRIVATE)
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, related_name="+")
    job_id = models.UUIDField(null=True, blank=True, unique=True)

    state = models.CharField(max_length=9, choices=ItemState, default=ItemState.PUBLISHED)
    sequence = models.BigIntegerField(unique=True, help_text=_("number of its last change"))
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-start", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("collection", "identifier"), name="catalogue_item_once"
            ),
            group_named("catalogue_item"),
            models.CheckConstraint(
                condition=Q(state=ItemState.WITHDRAWN, deleted_at__isnull=False)
                | Q(state=ItemState.PUBLISHED, deleted_at__isnull=True),
                name="catalogue_item_tombstone",
            ),
            models.CheckConstraint(
                condition=Q(crosses_antimeridian=True, west__gt=F("east"))
                | Q(crosses_antimeridian=False, west__lte=F("east")),
                name="catalogue_item_box",
            ),
            models.CheckConstraint(condition=Q(end__gte=F("start")), name="catalogue_item_times"),
        )
        indexes = (
            models.Index(
                fields=("-start", "-id"),
                condition=Q(deleted_at__isnull=True),
                name="catalogue_item_newest",
            ),
            models.Index(
                fields=("collection", "-start", "-id"),
                condition=Q(deleted_at__isnull=True),
                name="catalogue_item_of_collection",
            ),
            models.Index(fields=("owner", "-start"), name="catalogue_item_of_owner"),
            models.Index(
                # Counts and lists for everybody read nothing but this.
                fields=("sequence", "collection"),
                condition=Q(deleted_at__isnull=True, visibility=Visibility.PUBLIC),
                name="catalogue_item_public_row",
            ),
            models.Index(
                fields=("updated_at", "sequence"),
                condition=Q(deleted_at__isnull=True),
                name="catalogue_item_changed",
            ),
            *(
                models.Index(
                    fields=(column, "-start", "-id"),
                    condition=Q(deleted_at__isnull=True),
                    name=f"catalogue_item_by_{name}",
                )
                for column, name in (
                    ("cloud_cover", "cloud"),
                    ("gsd", "gsd"),
                    ("platform", "platform"),
                    ("constellation", "fleet"),
                    ("identifier", "name"),
                )
            ),
            # The clear scenes of one kind: SQLite uses one index for a search, and has no idea how
            # few a limit leaves.
            *(
                models.Index(
                    fields=(column, "cloud_cover"),
                    condition=Q(deleted_at__isnull=True),
                    name=f"catalogue_item_{name}_cloud",
                )
                for column, name in (("platform", "platform"), ("constellation", "fleet"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.collection.identifier}/{self.identifier}"

    @property
    def bbox(self) -> Box:
        return self.west, self.south, self.east, self.north

    @property
    def seen_by(self) -> str:
        """Who sees it, in words: never more than those who see its collection."""
        own = self.visibility != Visibility.PUBLIC
        shown: str = (self if own else self.collection).get_visibility_display()
        return shown

    @property
    def properties(self) -> dict[str, Any]:
        """The STAC properties as they were stored."""
        properties: dict[str, Any] = self.document["properties"]
        return properties


class ChangeCounter(models.Model):
    """The number and the moment of the catalogue's last change: one row, locked by every writer
    until it commits.

    So changes become visible in the order of their numbers, and a harvester that remembers the last
    number it saw never misses one. The moments never go back where the numbers go on.
    """

    name = models.CharField(max_length=20, primary_key=True)
    value = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"
