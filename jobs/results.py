"""After a job: look at its outputs, and publish them to the catalogue.

A failure here never changes the job's state or its bill.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from catalogue_client import raster, vector
from catalogue_client.publishing import publications
from catalogue_client.services import publish as publish_record
from common.clock import now
from common.errors import InvalidInput, NotFound, ProviderError
from jobs import due, findings, publication_work
from jobs.models import Due, Job, JobOutput
from jobs.outputs import open_output
from jobs.result_records import record_of
from jobs.states import SUCCESSFUL
from jobs.transitions import lock, note

log = structlog.get_logger(__name__)

MOST_BYTES = 512 * 2**20  # larger results are published without a look inside
TRIES = 4
_LOOKED_AT = ("size", "sha256", "footprint", "raster", "preview", "facts", "problems")


def publish(row: Due) -> datetime | None:
    """The step of the due work `publish`."""
    last_try = row.failures + 1 >= TRIES
    publish_job(row.subject, last_try=last_try, alive=lambda: due.renew(row))
    return None


def publish_job(
    job_id: UUID | str,
    *,
    last_try: bool = False,
    again: bool = False,
    alive: Callable[[], object] = lambda: None,
) -> bool:
    """Describe the outputs of a finished job and write its catalogue entry; safe to repeat.

    False when there is nothing to do: the job did not succeed, or is published and not `again`.
    `alive` is called between outputs. Raises ProviderError when an output cannot be had now,
    unless it is the `last_try`.
    """
    job = Job.objects.select_related(
        "service__provider", "service_version", "application", "owner"
    ).get(pk=job_id)
    if job.state not in SUCCESSFUL or (job.published_at is not None and not again):
        return False
    _look_at_all(job, last_try=last_try, alive=alive)
    record = record_of(job)
    with transaction.atomic():
        job = lock(job.pk)
        item = publish_record(record=record)
        publication_work.schedule(publications.plan(item))
        if job.published_at is None:
            job.published_at = now()
            job.save(update_fields=("published_at",))
            note(job, actor="worker", reason="published", text=str(item))
    return True


def _look_at_all(job: Job, *, last_try: bool, alive: Callable[[], object]) -> None:
    """One output after the other, with those that they tell of; never all of them in memory."""
    waiting = job.outputs.filter(Q(size=None) | Q(sha256="")).order_by("number")
    last = 0
    while (output := waiting.filter(number__gt=last).first()) is not None:
        output.job, last = job, output.number
        alive()
        _look_at(output, last_try=last_try, alive=alive)


def _look_at(output: JobOutput, *, last_try: bool, alive: Callable[[], object]) -> None:
    """Size, checksum, footprint and a picture of one output, and the files that it tells of.

    A provider that does not give the file now is asked again when the step is repeated, in the end
    the entry is published without.
    """
    found = findings.Found()
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
            if output.found_in is None:
                found = findings.look(output, path, last_try=last_try, alive=alive)
    if not found.any:
        output.save(update_fields=_LOOKED_AT)
        return
    with transaction.atomic():
        lock(output.job_id)
        findings.store(output, found)
        output.save(update_fields=_LOOKED_AT)


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
    if output.facts.get("sha256", output.sha256) != output.sha256:
        output.problems = [_("The file is not the one whose checksum was named.")]
    return True


def _describe(output: JobOutput, path: Path) -> None:
    """Footprint and picture; a file that is not what it claims to be is left as it is."""
    kind = output.media_type.split(";")[0].strip().lower()
    try:
        if kind in ("image/tiff", "image/geotiff"):
            info, picture = raster.look(path)
            output.footprint = list(info.bbox)
            output.raster = _json(asdict(info))
            _keep(output, picture)
        elif kind in vector.MEDIA_TYPES:
            box, picture = vector.look(path)
            output.footprint = list(box)
            _keep(output, picture)
    except InvalidInput as error:
        log.info("result.not_described", job_id=str(output.job_id), error=error.detail)


def _keep(output: JobOutput, picture: bytes) -> None:
    if picture:
        name = f"{output.job_id}-{output.number}.png"
        output.preview.save(name, ContentFile(picture), save=False)


def _json(document: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(document)))
