"""After a job: look at its outputs, and publish them to the catalogue.

A failure here never changes the job's state or its bill.
"""

from __future__ import annotations

import hashlib
import tempfile
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction

from catalogue_client import raster, vector
from catalogue_client.records import ResultOutput, ResultRecord
from catalogue_client.services import publish as publish_record
from common.clock import now
from common.errors import InvalidInput, NotFound, ProviderError
from jobs.models import Due, Job, JobOutput
from jobs.outputs import file_name, open_output
from jobs.states import SUCCESSFUL
from jobs.transitions import lock, note
from thematic_apps.models import Visibility

log = structlog.get_logger(__name__)

MOST_BYTES = 512 * 2**20  # larger results are published without a look inside
TRIES = 4


def publish(row: Due) -> datetime | None:
    """Describe the outputs of a finished job and write its catalogue entry; safe to repeat."""
    job = Job.objects.select_related(
        "service__provider", "service_version", "application", "owner"
    ).get(pk=row.subject)
    if job.state not in SUCCESSFUL or job.published_at is not None:
        return None
    outputs = list(job.outputs.order_by("number"))
    for output in outputs:
        output.job = job
        if output.size is None or not output.sha256:
            _look_at(output, last_try=row.failures + 1 >= TRIES)
    item = publish_record(_record(job, outputs))
    with transaction.atomic():
        job = lock(job.pk)
        if job.published_at is None:
            job.published_at = now()
            job.save(update_fields=("published_at",))
            note(job, actor="worker", reason="published", text=str(item))
    return None


def _look_at(output: JobOutput, *, last_try: bool) -> None:
    """Size, checksum, footprint and a picture of one output.

    A provider that does not give the file now is asked again when the step is repeated, in the end
    the entry is published without.
    """
    with tempfile.TemporaryDirectory(prefix="tep-result-") as folder:
        path = Path(folder) / "result"
        try:
            whole = _download(output, path)
        except NotFound:
            return
        except ProviderError:
            if last_try:
                return
            raise
        if whole:
            _describe(output, path)
    output.save(update_fields=("size", "sha256", "footprint", "preview"))


def _download(output: JobOutput, path: Path) -> bool:
    """Write the output to a file; False when it is too large to be looked at."""
    digest = hashlib.sha256()
    size = 0
    with open_output(output) as source, path.open("wb") as file:
        for chunk in source.chunks:
            size += len(chunk)
            if size > MOST_BYTES:
                return False
            digest.update(chunk)
            file.write(chunk)
    output.size = size
    output.sha256 = digest.hexdigest()
    return True


def _describe(output: JobOutput, path: Path) -> None:
    kind = output.media_type.split(";")[0].strip().lower()
    try:
        if kind in ("image/tiff", "image/geotiff"):
            output.footprint = list(raster.describe(path).bbox)
            name = f"{output.job_id}-{output.number}.png"
            output.preview.save(name, ContentFile(raster.preview(path)), save=False)
        elif kind.endswith("geo+json"):
            output.footprint = list(vector.bbox(path))
    except InvalidInput as error:
        log.info("result.not_described", job_id=str(output.job_id), error=error.detail)
