"""The files of copies in the storage "results": put there, read in parts, taken away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
from django.core.files import File
from django.core.files.storage import Storage

from jobs.models import JobOutput
from jobs.models.output import copy_name, results_storage
from jobs.streams import CHUNK, OutputStream, part_of, read_part

log = structlog.get_logger(__name__)


class _Fetched(File):
    """A file on this machine that a storage of files may take as it is, without copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def put(output: JobOutput, path: Path, name: str) -> str:
    """Hand a fetched file to the storage; the name it has there.

    The name is the same at each try, so that a try that was killed leaves nothing behind.
    """
    storage = results_storage()
    wanted = copy_name(output, name)
    storage.delete(wanted)
    with path.open("rb") as file:
        return storage.save(wanted, _Fetched(file))


def remove(name: str) -> None:
    """Take a file out of the storage; one that is not there is no error."""
    if name:
        results_storage().delete(name)


@contextmanager
def open_copy(output: JobOutput, range_header: str) -> Iterator[OutputStream | None]:
    """Stream the copy of an output; None when the storage no longer has it."""
    storage = results_storage()
    name = str(output.copy.name)
    size = output.size if output.size is not None else storage.size(name)
    opened = _open_object(storage, name) if hasattr(storage, "bucket") else _open(storage, name)
    if opened is None:
        log.warning("copy.missing", job_id=str(output.job_id), number=output.number)
        yield None
        return
    try:
        yield part_of(size, range_header, etag=output.sha256, chunks=opened.read)
    finally:
        opened.close()


class _LocalFile:
    """A file of any storage that can be sought in."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, start: int, length: int) -> Iterator[bytes]:
        return read_part(self._file, start, length)

    def close(self) -> None:
        self._file.close()


class _Object:
    """An object of an S3-compatible storage: asked for exactly the part, never read as a whole."""

    def __init__(self, found: Any) -> None:
        self._found = found
        self._body: Any = None

    def read(self, start: int, length: int) -> Iterator[bytes]:
        if length <= 0:
            return
        answer = self._found.get(Range=f"bytes={start}-{start + length - 1}")
        self._body = answer["Body"]
        yield from self._body.iter_chunks(CHUNK)

    def close(self) -> None:
        if self._body is not None:
            with suppress(OSError):
                self._body.close()


def _open(storage: Storage, name: str) -> _LocalFile | None:
    try:
        return _LocalFile(storage.open(name, "rb"))
    except FileNotFoundError:
        return None


def _open_object(storage: Any, name: str) -> _Object | None:
    if not storage.exists(name):
        return None
    return _Object(storage.bucket.Object(storage._normalize_name(name)))
