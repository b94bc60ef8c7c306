"""A finished job in the catalogue's words; every address in it is the portal's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from django.utils.dateparse import parse_datetime

from catalogue_client.geometry import Box
from catalogue_client.records import RasterInfo, ResultOutput, ResultRecord
from common.clock import now
from common.errors import InvalidInput
from common.ows import to_lonlat_bbox
from jobs.input_sources import sources_of
from jobs.models import Job, JobOutput
from jobs.outputs import text_of
from providers.addresses import without_own_addresses
from providers.drivers.wps1.execute import execute_document as execute_of
from providers.process import BoundingBoxValue

MOST_SOURCES = 200  # products that an entry names as what it was made from
LONGEST_VALUE = 2000  # characters; the whole is one download away
_PLAIN = ("literal", "bbox")


def record_of(job: Job) -> ResultRecord:
    """What the catalogue is told of a job. Files and documents are not loaded for it."""
    plain = dict(job.outputs.filter(kind__in=_PLAIN).values_list("pk", "document"))
    outputs = list(job.outputs.defer("document").order_by("number"))
    for output in outputs:
        output.job = job
        if output.pk in plain:
            output.document = plain[output.pk]
    app, inputs = job.application, sources_of(job)
    start, end = _period(outputs)
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
        start=start,
        end=end,
        execute_request=execute_document(job).decode(),
        job_href=f"/jobs/{job.pk}/",
        ordered_at=job.created_at,
        derived_from=tuple(dict.fromkeys((*inputs.products, *_sources(outputs))))[:MOST_SOURCES],
        source_catalogues=inputs.collections,
    )


def execute_document(job: Job) -> bytes:
    """The WPS 1.0.0 Execute that runs the job again through the portal."""
    request = replace(job.request(), process=job.service.public_identifier)
    return execute_of(job.service_version.description, request)


def _output(output: JobOutput) -> ResultOutput:
    place = f"/jobs/{output.job_id}/outputs/{output.number}"
    return ResultOutput(
        identifier=output.identifier,
        title=output.title,
        kind=output.kind,
        media_type=output.media_type,
        href=place,
        size=output.size,
        sha256=output.sha256,
        preview_href=f"{place}/preview" if output.preview else "",
        value=_value(output),
        bbox=tuple(output.footprint) if output.footprint else None,
        geometry=output.facts.get("geometry"),
        raster=RasterInfo(**output.raster) if output.raster else None,
        role=output.facts.get("role", ""),
    )


def _value(output: JobOutput) -> str:
    """A plain value; nothing of one that tells of files, which stand there themselves."""
    if output.kind not in _PLAIN or output.facts.get("role"):
        return ""
    endpoint = output.job.service.provider.endpoint()
    return without_own_addresses(text_of(output), endpoint)[:LONGEST_VALUE]


def _period(outputs: list[JobOutput]) -> tuple[datetime | None, datetime | None]:
    """From the first to the last moment that the entries tell of."""
    starts = [m for o in outputs if (m := parse_datetime(o.facts.get("start", "")))]
    ends = [m for o in outputs if (m := parse_datetime(o.facts.get("end", "")))]
    return min(starts, default=None), max(ends, default=None)


def _sources(outputs: list[JobOutput]) -> tuple[str, ...]:
    told = dict.fromkeys(href for output in outputs for href in output.facts.get("via", ()))
    return tuple(told)


def _place(job: Job, outputs: list[JobOutput]) -> Box | None:
    """Where the result lies if no output says so: the box asked for, or the application's."""
    if any(output.footprint for output in outputs):
        return None
    for value in job.input_values:
        if isinstance(value, BoundingBoxValue):
            with suppress(InvalidInput):  # in a projected system
                return to_lonlat_bbox(value.lower, value.upper, value.crs)
    app = job.application or job.service.apps.order_by("pk").first()
    return app.bbox if app else None
