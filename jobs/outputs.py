"""What a job gave: stored values and references, streamed to those who may see the job."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http import HTTPStatus

from django.utils.translation import gettext as _

from common.clock import now
from common.errors import NotFound, ProviderError, ProviderRefused
from common.rows import insert_all, new
from common.xml import undeclared
from jobs.copy_files import open_copy
from jobs.models import Job, JobOutput
from jobs.streams import OutputStream, part_of
from providers.calls import stream
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    LiteralValue,
    OutputValue,
    ReferenceValue,
    value_to_json,
)
from providers.registry import driver_for

FEW = 4  # outputs of nearly every run: for each number of them a statement is prepared
# What may pass from a provider's answer to a user's.
_PASSED_ON = ("content-length", "content-range", "accept-ranges", "last-modified", "etag")
_EXTENSIONS = {
    "image/tiff": "tif",
    "image/geotiff": "tif",
    "application/gml+xml": "gml",
    "application/vnd.google-earth.kml+xml": "kml",
    "application/vnd.google-earth.kmz": "kmz",
    "application/geopackage+sqlite3": "gpkg",
    "image/png": "png",
    "image/jpeg": "jpg",
    "application/json": "json",
    "application/geo+json": "geojson",
    "application/vnd.geo+json": "geojson",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/csv": "csv",
    "text/plain": "txt",
    "application/zip": "zip",
    "application/x-netcdf": "nc",
    "application/netcdf": "nc",
    "application/pdf": "pdf",
}


def store_outputs(job: Job, outputs: Sequence[OutputValue]) -> None:
    """Keep the outputs of a finished run; called once, on the locked job."""
    outputs = [_in_utf8(output) for output in outputs]
    rows = [
        new(
            JobOutput,
            job=job,
            number=number,
            identifier=output.identifier[:255],
            title=(output.title or _described_title(job, output.identifier))[:255],
            abstract=output.abstract,
            kind=output.value.kind,
            media_type=getattr(output.value, "media_type", "")[:200],
            document=value_to_json(output.value),
            size=_inline_size(output),
        )
        for number, output in enumerate(outputs, start=1)
    ]
    if 0 < len(rows) <= FEW:
        insert_all(rows)
    else:
        JobOutput.objects.bulk_create(rows)
    job.known_outputs = rows


def outputs_of(job: Job) -> list[JobOutput]:
    """The outputs in their order; read only where they were not stored a moment ago."""
    if job.known_outputs is None:
        return list(job.given_outputs)
    return job.known_outputs


def _in_utf8(output: OutputValue) -> OutputValue:
    value = output.value
    if not isinstance(value, ComplexValue) or value.encoding.lower() == "base64":
        return output
    return replace(output, value=replace(value, data=undeclared(value.data)))


def file_name(output: JobOutput) -> str:
    """A safe name for a download: what it is, and of which job."""
    bare = re.sub(r"[^A-Za-z0-9._-]+", "_", output.identifier).strip("._") or "output"
    kind = output.media_type.split(";")[0].strip().lower()
    extension = _EXTENSIONS.get(kind, "")
    if output.kind in ("literal", "bbox"):
        extension = "txt"
    stem = f"{bare}-{str(output.job_id)[:8]}"
    if extension and not bare.lower().endswith(f".{extension}"):
        return f"{stem}.{extension}"
    return stem


def text_of(output: JobOutput) -> str:
    """A literal or a box as one line of text; "" for anything else."""
    value = output.value
    if isinstance(value, LiteralValue):
        return f"{value.value} {value.uom}".strip()
    if isinstance(value, BoundingBoxValue):
        numbers = ", ".join(f"{n:g}" for n in (*value.lower, *value.upper))
        return f"{numbers} ({value.crs})" if value.crs else numbers
    return ""


@contextmanager
def open_output(
    output: JobOutput, *, range_header: str = "", if_range: str = ""
) -> Iterator[OutputStream]:
    """Stream an output, from the database, its copy or its provider, never as a whole in memory.

    `if_range`: the part is given only of the state that this names (RFC 9110 §13.1.5), else the
    whole. Raises ProviderError when it cannot be had (its text names no address), NotFound when
    neither the provider nor the portal has it.
    """
    if output.kind != "reference":
        data = inline_bytes(output)
        etag = hashlib.sha256(data).hexdigest()
        asked = range_header if if_range in ("", f'"{etag}"') else ""
        yield part_of(len(data), asked, etag=etag, chunks=lambda a, n: iter((data[a : a + n],)))
        return
    with ExitStack() as opened:
        source = None
        if output.copy:
            asked = range_header if if_range in ("", f'"{output.sha256}"') else ""
            source = opened.enter_context(open_copy(output, asked))
        if source is None:
            source = opened.enter_context(open_original(output, range_header=range_header))
            if if_range and source.status != HTTPStatus.OK and if_range not in _states(source):
                opened.close()
                source = opened.enter_context(open_original(output))
        yield source


@contextmanager
def open_original(output: JobOutput, *, range_header: str = "") -> Iterator[OutputStream]:
    """Stream an output from where its provider keeps it.

    The provider gets its own credentials and nothing of the user's. Raises ProviderError, and
    NotFound when the provider no longer has it, which is noted.
    """
    value = output.value
    if not isinstance(value, ReferenceValue):
        raise NotFound
    provider = output.job.service.provider
    endpoint = provider.endpoint()
    if not driver_for(provider).may_fetch(endpoint, value.href):
        raise ProviderRefused(_("This result lies outside the provider; the portal has no copy."))
    headers = {"Range": range_header} if re.fullmatch(r"bytes=[0-9,\- ]+", range_header) else {}
    with stream(endpoint, value.href, headers=headers) as answer:
        if answer.status in (404, 410):
            JobOutput.objects.filter(pk=output.pk, gone_at=None).update(gone_at=now())
            raise NotFound(_("The provider no longer keeps this result."))
        if answer.status not in (200, 206, 416):
            raise ProviderError(_("The provider does not give this result at the moment."))
        told = {name: answer.headers.get(name, "") for name in _PASSED_ON}
        # Control characters of a provider must not break the answer that they are passed on with.
        passed = {name: text for name, text in told.items() if re.fullmatch("[ -~]{1,500}", text)}
        if not re.fullmatch(r"[0-9]{1,18}", passed.get("content-length", "")):
            passed.pop("content-length", None)
        yield OutputStream(answer.status, passed, answer.iter_bytes())


def _states(source: OutputStream) -> tuple[str, ...]:
    return tuple(source.headers.get(name, "") for name in ("etag", "last-modified"))


def inline_bytes(output: JobOutput) -> bytes:
    """The bytes of an output that is kept in the database."""
    value = output.value
    if isinstance(value, LiteralValue):
        return value.value.encode()
    if isinstance(value, BoundingBoxValue):
        return text_of(output).encode()
    if isinstance(value, ComplexValue):
        return _bytes_of(value)
    raise NotFound


def _bytes_of(value: ComplexValue) -> bytes:
    if value.encoding.lower() == "base64":
        try:
            return base64.b64decode(value.data)
        except (binascii.Error, ValueError):
            pass  # not what it claims to be; give what there is
    return value.data.encode()


def _described_title(job: Job, identifier: str) -> str:
    known = job.service_version.description.output(identifier)
    return known.title if known else ""


def _inline_size(output: OutputValue) -> int | None:
    value = output.value
    if isinstance(value, ComplexValue):
        return len(_bytes_of(value))
    if isinstance(value, LiteralValue):
        return len(value.value.encode())
    return None
