"""What the provider remembers of each Execute request: durably, before it is run.

A request is stored under the reference that its sender gave, then the identifier that PyWPS gave
it, then the answer. So the sender can ask what became of a request whose answer was lost, a second
request with the same reference is not run, and a provider that was killed runs on where it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Received:
    """An Execute request: by POST with a body, or by GET with a query."""

    method: str
    query: str
    content_type: str
    body: str
    named: bool  # whether the sender gave the reference


class References:
    """A folder of small files, one per reference and fact."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("requests", "uuids", "answers", "jobs", "reported"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def arrive(self, reference: str, request: Received) -> bool:
        """Store a request; False when the reference is known already."""
        return _create(self.folder / "requests" / reference, json.dumps(asdict(request)))

    def assign(self, reference: str, uuid: str) -> None:
        """PyWPS has given the request this identifier and is about to run it."""
        _write(self.folder / "jobs" / uuid, reference)
        _write(self.folder / "uuids" / reference, uuid)

    def answered(self, reference: str, body: bytes) -> None:
        _write(self.folder / "answers" / reference, body.decode("utf-8", "replace"))

    def forget(self, reference: str) -> None:
        """The request was refused: nothing was run, and the same reference may come again."""
        uuid = self.uuid(reference)
        names = [("uuids", reference), ("answers", reference), ("jobs", uuid or reference)]
        for kind, name in (*names, ("requests", reference)):
            (self.folder / kind / name).unlink(missing_ok=True)

    def known(self, reference: str) -> bool:
        return bool(FORM.fullmatch(reference)) and (self.folder / "requests" / reference).exists()

    def request(self, reference: str) -> Received:
        return Received(**json.loads((self.folder / "requests" / reference).read_text()))

    def uuid(self, reference: str) -> str | None:
        return _read(self.folder / "uuids" / reference)

    def answer(self, reference: str) -> str | None:
        return _read(self.folder / "answers" / reference)

    def of_job(self, uuid: str) -> str | None:
        """The reference of a job, if its sender gave one."""
        reference = _read(self.folder / "jobs" / uuid)
        return reference if reference and self.request(reference).named else None

    def first_report(self, uuid: str) -> bool:
        """True once per job: whoever gets it reports the job's usage."""
        return _create(self.folder / "reported" / uuid, "")

    def reported(self, uuid: str) -> bool:
        return (self.folder / "reported" / uuid).exists()

    def all(self) -> list[str]:
        files = (self.folder / "requests").iterdir()
        return sorted(path.name for path in files if not path.name.startswith("."))


def _create(path: Path, text: str) -> bool:
    """Write a new file so that it is there after a power cut; False when it exists."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    _flush(part, text)
    try:
        os.link(part, path)  # unlike a rename, it fails where there is one
    except FileExistsError:
        return False
    finally:
        part.unlink()
    _flush_folder(path.parent)
    return True


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    _flush(part, text)
    part.replace(path)
    _flush_folder(path.parent)


def _flush(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> str | None:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text()
    return None
