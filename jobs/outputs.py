"""What a job gave: stored values and references, streamed to those who may see the job."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from common.errors import NotFound, ProviderError, ProviderRefused
from common.http import stream
from jobs.models import Job, JobOutput
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    LiteralValue,
    OutputValue,
    ReferenceValue,
)
from providers.registry import driver_for

# What may pass from a provider's answer to a user's.
_PASSED_ON = ("content-length", "content-range", "accept-ranges", "last-modified", "etag")
_EXTENSIONS = {
    "image/tiff": "tif",
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


@dataclass(frozen=True, slots=True)
class OutputStream:
    """An output on its way: HTTP status (200, or 206 for a part), headers, chunks of bytes."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


def store_outputs(job: Job, outputs: Sequence[OutputValue]) -> None:
    """Keep the outputs of a finished run; called once, on the locked job."""
    JobOutput.objects.bulk_create(
        JobOutput(
            job=job,
            number=number,
            identifier=output.identifier[:255],
            title=(output.title or _described_title(job, output.identifier))[:255],
            abstract=output.abstract,
            kind=output.value.kind,
            media_type=getattr(output.value, "media_type", "")[:200],
            document=asdict(output.value),
            size=_inline_size(output),
        )
        for number, output in enumerate(outputs, start=1)
    )


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
def open_output(output: JobOutput, *, range_header: str = "") -> Iterator[OutputStream]:
    """Stream an output, from the database or from its provider, never as a whole in memory.

    The provider gets its own credentials and nothing of the user's. Raises ProviderError when it
    cannot be had (its text names no address), NotFound when the provider no longer has it.
    """
    value = output.value
    if not isinstance(value, ReferenceValue):
        data = inline_bytes(output)
        yield OutputStream(200, {"content-length": str(len(data))}, iter((data,)))
        return
    provider = output.job.service.provider
    endpoint = provider.endpoint()
    if not driver_for(provider).may_fetch(endpoint, value.href):
        raise ProviderRefused(_("This result lies outside the provider; the portal has no copy."))
    headers = {"Range": range_header} if re.fullmatch(r"bytes=[0-9,\- ]+", range_header) else {}
    auth = (endpoint.username, endpoint.password) if endpoint.username else None
    with stream("GET", value.href, headers=headers, auth=auth, origin=endpoint.url) as answer:
        if answer.status in (404, 410):
            raise NotFound(_("The provider no longer keeps this result."))
        if answer.status not in (200, 206, 416):
            raise ProviderError(_("The provider does not give this result at the moment."))
        passed = {name: answer.headers[name] for name in _PASSED_ON if name in answer.headers}
        if not re.fullmatch(r"[0-9]{1,18}", passed.get("content-length", "")):
            passed.pop("content-length", None)
        yield OutputStream(answer.status, passed, answer.iter_bytes())


def inline_bytes(output: JobOutput) -> bytes:
    """The bytes of an output that is kept in the database."""
    value = output.value
    if isinstance(value, LiteralValue):
        return value.value.encode()
    if isinstance(value, BoundingBoxValue):
        return text_of(output).encode()
    if isinstance(value, ComplexValue):
        if value.encoding.lower() == "base64":
            try:
                return base64.b64decode(value.data)
            except (binascii.Error, ValueError):
                return value.data.encode()  # not what it claims to be; give what there is
        return value.data.encode()
    raise NotFound


def _described_title(job: Job, identifier: str) -> str:
    known = job.service_version.description.output(identifier)
    return known.title if known else ""


def _inline_size(output: OutputValue) -> int | None:
    value = output.value
    if isinstance(value, ComplexValue):
        return len(value.data.encode())
    if isinstance(value, LiteralValue):
        return len(value.value.encode())
    return None
