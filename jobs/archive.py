"""All outputs of a job as one ZIP file, written while it is sent: never a whole one anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import zipstream

from common.errors import NotFound, ProviderError
from jobs.json_values import inputs_to_json
from jobs.messages import status_of
from jobs.models import Job, JobOutput
from jobs.outputs import file_name, open_output

MANIFEST = "manifest.json"


def archive(job: Job) -> Iterator[bytes]:
    """The bytes of the archive; the last file in it tells where all the others come from.

    An output that cannot be had is missing and the manifest says why; one that breaks off breaks
    the download off, so that nobody takes it for complete. Stored, not compressed: results mostly
    are compressed already.
    """
    packed = zipstream.ZipStream(compress_type=zipstream.ZIP_STORED)
    files: list[dict[str, Any]] = []
    taken = {MANIFEST}
    for output in job.outputs.order_by("number"):
        output.job = job
        told = _told(output)
        files.append(told)
        with ExitStack() as opened:
            try:
                source = opened.enter_context(open_output(output))
            except (ProviderError, NotFound) as error:
                told["error"] = error.detail
                continue
            told["file"] = _unique(file_name(output), taken)
            packed.add(_counted(source.chunks, told), told["file"])
            yield from packed.all_files()
    packed.add(json.dumps(_manifest(job, files), indent=2, ensure_ascii=False), MANIFEST)
    yield from packed.finalize()


def archive_name(job: Job) -> str:
    """What the archive is called where it is kept."""
    return f"job-{str(job.pk)[:8]}.zip"


def _counted(chunks: Iterable[bytes], told: dict[str, Any]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        yield chunk
    told["size"] = size


def _unique(name: str, taken: set[str]) -> str:
    stem, dot, extension = name.rpartition(".")
    number, found = 1, name
    while found.lower() in taken:
        number += 1
        found = f"{stem}-{number}{dot}{extension}" if dot else f"{name}-{number}"
    taken.add(found.lower())
    return found


def _told(output: JobOutput) -> dict[str, Any]:
    found = {
        "output": output.identifier,
        "number": output.number,
        "title": output.title,
        "mediaType": output.media_type,
        "size": output.size,
        "sha256": output.sha256,
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def _manifest(job: Job, files: list[dict[str, Any]]) -> dict[str, Any]:
    """What was run, with what, by whom, and what came of it."""
    service, version = job.service, job.service_version
    return {
        "title": job.title,
        "job": status_of(job),
        "process": {
            "identifier": service.public_identifier,
            "title": service.title,
            "version": version.version,
            "description": version.fingerprint,
            "provider": service.provider.name,
        },
        "owner": job.owner.username,
        "inputs": inputs_to_json(job.input_values),
        "files": files,
    }
