"""The outputs of jobs, at their provider or copied."""

from __future__ import annotations

from django.core.files.storage import Storage, storages
from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.models.job import Job
from providers.process import InputValue, value_from_json


def results_storage() -> Storage:
    """Where copies of results are kept: files, or an S3-compatible storage (settings)."""
    return storages["results"]


def copy_name(output: JobOutput, name: str) -> str:
    """Where the copy of an output lies in its storage."""
    return f"results/{output.job_id}/{output.number}/{name}"


class JobOutput(models.Model):
    """One output: a value kept here, or a reference at the provider that the portal streams.

    `document` is the OutputValue's value; an `href` in it is the provider's and never shown.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="outputs")
    number = models.PositiveIntegerField()
    identifier = models.CharField(max_length=255)
    title = models.CharField(max_length=255, blank=True)
    abstract = models.TextField(blank=True)
    kind = models.CharField(max_length=10)
    media_type = models.CharField(max_length=200, blank=True)
    document = models.JSONField()
    size = models.BigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    # west, south, east, north in degrees, once the file was looked at
    footprint = models.JSONField(null=True, blank=True)
    raster = models.JSONField(null=True, blank=True, help_text=_("RasterInfo of a raster"))
    preview = models.FileField(upload_to="previews/", null=True, blank=True)
    # The portal's own copy, in the storage "results".
    copy = models.FileField(
        upload_to=copy_name, storage=results_storage, max_length=300, null=True, blank=True
    )
    copied_at = models.DateTimeField(null=True, blank=True)
    copy_error = models.CharField(max_length=300, blank=True)
    # A file that another output tells of (jobs.findings): the number of that one.
    found_in = models.PositiveIntegerField(null=True, blank=True)
    facts = models.JSONField(
        default=dict, blank=True, help_text=_("role, entry, time and sources of a file, if told")
    )
    problems = models.JSONField(
        default=list, blank=True, help_text=_("what this output tells of and cannot be used")
    )
    gone_at = models.DateTimeField(
        null=True, blank=True, help_text=_("since when the provider no longer has it")
    )

    class Meta:
        ordering = ("job", "number")
        constraints = (
            models.UniqueConstraint(fields=("job", "number"), name="jobs_output_number_once"),
        )

    def __str__(self) -> str:
        return f"{self.job_id} {self.identifier}"

    @property
    def value(self) -> InputValue:
        return value_from_json(self.document)
