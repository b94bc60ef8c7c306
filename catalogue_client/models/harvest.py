"""Catalogues of processing centres that are read into the portal's own, and how that went."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalogue_client.models.catalogue import Collection, Item


class HarvestKind(models.TextChoices):
    STAC_API = "stac-api", "STAC API"
    STATIC_STAC = "static-stac", _("static STAC catalogue")
    OGC_RECORDS = "ogc-records", "OGC API – Records"
    OPENSEARCH = "opensearch", "OpenSearch"
    CSW = "csw", "CSW 2.0.2"
    OAI_PMH = "oai-pmh", "OAI-PMH 2.0"
    PUSH = "push", _("sent by the centre")


class HarvestState(models.TextChoices):
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    LEAVING = "leaving", _("being taken away")


class HarvestSource(models.Model):
    """Where records of a provider come from: a catalogue that is read, or the centre sends them.

    Its records are items of `collection` and seen by those who see that. `mark` is the moment, by
    the catalogue's own clock, from which the next incremental run asks for changes.
    """

    provider_id = models.BigIntegerField(db_index=True)
    provider_name = models.CharField(max_length=200, help_text=_("as its records carry it"))
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=HarvestKind)
    url = models.CharField(max_length=2000, blank=True)
    parts = models.JSONField(
        default=list, blank=True, help_text=_("collections or sets there; none named: all")
    )
    abilities = models.JSONField(default=list, blank=True)
    facts = models.JSONField(default=dict, blank=True, help_text=_("what its adapter found out"))
    collection = models.ForeignKey(Collection, models.PROTECT, related_name="harvest_sources")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approved = models.BooleanField(
        default=False, help_text=_("an operator vouches for the address")
    )
    username = models.CharField(max_length=200, blank=True)
    secret = models.TextField(blank=True, help_text=_("password, encrypted"))
    secret_headers = models.TextField(
        blank=True, help_text=_("headers sent with every request, JSON, encrypted")
    )

    state = models.CharField(max_length=8, choices=HarvestState, default=HarvestState.ACTIVE)
    every_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("between two runs; empty: as the portal does")
    )
    full_every_seconds = models.PositiveIntegerField(
        null=True, blank=True, help_text=_("between two full passes; empty: as the portal does")
    )
    mark = models.DateTimeField(null=True, blank=True)
    full_at = models.DateTimeField(
        null=True, blank=True, help_text=_("start of the last full pass that came to its end")
    )
    full_wanted = models.BooleanField(default=False, help_text=_("the next run is a full pass"))
    failures = models.PositiveIntegerField(default=0, help_text=_("runs in a row"))
    last_error = models.TextField(blank=True)
    token_hash = models.CharField(max_length=64, blank=True)
    token_at = models.DateTimeField(null=True, blank=True)
    token_used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind=HarvestKind.PUSH) | ~Q(url=""), name="catalogue_harvest_address"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def pulled(self) -> bool:
        """The portal reads it; otherwise records only come by themselves."""
        return self.kind != HarvestKind.PUSH


class RunMode(models.TextChoices):
    FULL = "full", _("full pass")
    CHANGES = "changes", _("what has changed")
    PUSH = "push", _("sent by the centre")


class RunState(models.TextChoices):
    RUNNING = "running", _("running")
    REMOVING = "removing", _("taking away what is gone")
    HELD = "held", _("waits for a decision")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    STOPPED = "stopped", _("stopped")


OPEN_RUNS = (RunState.RUNNING, RunState.REMOVING, RunState.HELD)


class HarvestRun(models.Model):
    """One reading of a source, or what a centre sent on one day.

    `cursor` leads to the next page; it is written together with what the page before brought.
    `begun` is the moment of the first answer by the catalogue's clock where it tells it, `newest`
    the latest change among the records.
    """

    source = models.ForeignKey(HarvestSource, models.CASCADE, related_name="runs")
    mode = models.CharField(max_length=7, choices=RunMode)
    state = models.CharField(max_length=8, choices=RunState, default=RunState.RUNNING)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    cursor = models.JSONField(null=True, blank=True)
    pages = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text=_("spent on it so far"))
    matched = models.PositiveBigIntegerField(null=True, blank=True)
    begun = models.DateTimeField(null=True, blank=True)
    newest = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text=_("on the present page"))
    whole = models.BooleanField(default=True, help_text=_("nothing was left out so far"))
    confirmed = models.BooleanField(default=False, help_text=_("somebody allowed the removal"))
    seen = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("source",),
                condition=Q(state__in=OPEN_RUNS) & ~Q(mode=RunMode.PUSH),
                name="catalogue_harvest_one_run",
            ),
        )
        indexes = (models.Index(fields=("source", "-id"), name="catalogue_harvest_runs"),)

    def __str__(self) -> str:
        return f"{self.source_id}: {self.mode} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def open(self) -> bool:
        return self.state in OPEN_RUNS


class HarvestFault(models.Model):
    """A record that could not be taken in, and why."""

    run = models.ForeignKey(HarvestRun, models.CASCADE, related_name="faults")
    record = models.CharField(max_length=500, help_text=_("its id there"))
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.record}: {self.reason}"


class HarvestedItem(models.Model):
    """What an item was made of: a record of a source. `key` stands for its collection and id there.

    `full_run` is the last full pass that saw it; what a complete one did not see is removed.
    """

    source = models.ForeignKey(HarvestSource, models.CASCADE, related_name="records")
    item = models.OneToOneField(Item, models.CASCADE, related_name="harvested")
    key = models.CharField(max_length=64)
    origin_collection = models.CharField(max_length=500, blank=True)
    origin_id = models.CharField(max_length=500)
    datestamp = models.DateTimeField(null=True, blank=True, help_text=_("its last change there"))
    content_hash = models.CharField(max_length=64)
    full_run = models.BigIntegerField(default=0)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("source", "key"), name="catalogue_harvested_once"),
        )
        indexes = (
            models.Index(
                fields=("source", "full_run"),
                condition=Q(removed_at__isnull=True),
                name="catalogue_harvested_seen",
            ),
        )

    def __str__(self) -> str:
        return f"{self.source_id}: {self.origin_id}"
