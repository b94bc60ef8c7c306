"""After a job: look at its outputs, and publish them to the catalogue.

A failure here never changes the job's state or its bill.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.core.files.base import ContentFile
from django.db import transaction

from catalogue_client import raster, vector
from catalogue_client.geometry import Box
from catalogue_client.records import RasterInfo, ResultOutput, ResultRecord
from catalogue_client.services import publish as publish_record
from common.clock import now
from common.errors import InvalidInput, NotFound, ProviderError
from common.ows import to_lonlat_bbox
from jobs.models import Due, Job, JobOutput
from jobs.outputs import open_output, text_of
from jobs.states import SUCCESSFUL
from jobs.transitions import lock, note
from providers.drivers.wps1.execute import execute_document as execute_of
from providers.process import BoundingBoxValue

log = structlog.get_logger(__name__)

MOST_BYTES = 512 * 2**20  # larger results are published without a look inside
TRIES = 4


def publish(row: Due) -> datetime | None:
    """The step of the due work `publish`."""
    publish_job(row.subject, last_try=row.failures + 1 >= TRIES)
    return None


def publish_job(job_id: UUID | str, *, last_try: bool = False, again: bool = False) -> bool:
    """Describe the outputs of a finished job and write its catalogue entry; safe to repeat.

    False when there is nothing to do: the job did not succeed, or is published and not `again`.
    Raises ProviderError when an output cannot be had now, unless it is the `last_try`.
    """
    job = Job.objects.select_related(
        "service__provider", "service_version", "application", "owner"
    ).get(pk=job_id)
    if job.state not in SUCCESSFUL or (job.published_at is not None and not again):
        return False
    outputs = list(job.outputs.order_by("number"))
    for output in outputs:
        output.job = job
        if output.size is None or not output.sha256:
            _look_at(output, last_try=last_try)
    item = publish_record(record=_record(job, outputs))
    with transaction.atomic():
        job = lock(job.pk)
        if job.published_at is None:
            job.published_at = now()
            job.save(update_fields=("published_at",))
            note(job, actor="worker", reason="published", text=str(item))
    return True


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
    output.save(update_fields=("size", "sha256", "footprint", "raster", "preview"))


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
    """Footprint and picture; a file that is not what it claims to be is left as it is."""
    kind = output.media_type.split(";")[0].strip().lower()
    try:
        if kind in ("image/tiff", "image/geotiff"):
            info = raster.describe(path)
            output.footprint = list(info.bbox)
            output.raster = _json(asdict(info))
            name = f"{output.job_id}-{output.number}.png"
            output.preview.save(name, ContentFile(raster.preview(path)), save=False)
        elif kind.endswith("geo+json"):
            output.footprint = list(vector.bbox(path))
    except InvalidInput as error:
        log.info("result.not_described", job_id=str(output.job_id), error=error.detail)


def _json(document: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(document)))


def _record(job: Job, outputs: list[JobOutput]) -> ResultRecord:
    """The job in the catalogue's words; every address in it is the portal's."""
    app = job.application
    return ResultRecord(
        job_id=job.pk,
        title=job.title,
        process=job.service.public_identifier,
        owner_id=job.owner_id,
        finished_at=job.finished_at or now(),
        outputs=tuple(_output(output) for output in outputs),
        process_title=job.service.title,
        process_version=job.service_version.version,
        provider=job.service.provider.name,
        application=app.slug if app else "",
        application_title=app.title if app else "",
        description=job.service.abstract,
        bbox=_place(job, outputs),
        execute_request=execute_document(job).decode(),
        job_href=f"/jobs/{job.pk}/",
    )


def execute_document(job: Job) -> bytes:
    """The WPS 1.0.0 Execute that runs the job again through the portal."""
    request = replace(job.request(), process=job.service.public_identifier)
    return execute_of(job.service_version.description, request)


def _output(output: JobOutput) -> ResultOutput:
    found = RasterInfo(**output.raster) if output.raster else None
    return ResultOutput(
        identifier=output.identifier,
        title=output.title,
        kind=output.kind,
        media_type=output.media_type,
        href=f"/jobs/{output.job_id}/outputs/{output.number}",
        size=output.size,
        sha256=output.sha256,
        preview_href=f"/jobs/{output.job_id}/outputs/{output.number}/preview"
        if output.preview
        else "",
        value=text_of(output),
        bbox=tuple(output.footprint) if output.footprint else None,
        raster=found,
    )


def _place(job: Job, outputs: list[JobOutput]) -> Box | None:
    """Where the result lies if no output says so: the box asked for, or the application's."""
    if any(output.footprint for output in outputs):
        return None
    for value in job.input_values:
        if isinstance(value, BoundingBoxValue):
            return to_lonlat_bbox(value.lower, value.upper, value.crs)
    app = job.application or job.service.apps.order_by("pk").first()
    return app.bbox if app else None
