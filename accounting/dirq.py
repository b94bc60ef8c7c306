"""Usage messages from a directory queue, as SSM receivers and job accounting clients write them.

Each element: lock, get, take in, commit, remove. Whatever dies in between, the element stays and is
delivered again; the importer recognises it. What cannot be taken goes to the queue `reject` beside
this one, with the reasons.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from dirq.Exceptions import QueueError
from dirq.queue import Queue
from dirq.QueueSimple import QueueSimple
from django.utils.translation import gettext as _

from accounting.models import MessageState
from accounting.usage import MOST_BYTES, ImportReport, import_message
from common.errors import ConfigurationError, PortalError

log = structlog.get_logger(__name__)

# As bytes: what is not UTF-8 is the importer's to refuse, with the line.
INCOMING = {"body": "binary", "signer": "binary?", "empaid": "binary?"}
REJECT = {**INCOMING, "error": "string"}
STALE_LOCK_SECONDS = 600
_FOLDER = re.compile(r"[0-9a-f]{8}")
_ELEMENT = re.compile(r"[0-9a-f]{14}")


class _Queue(Queue):
    """One folder per element, one file per part.

    Whether an element is locked is asked of the lock itself; dirq counts the links of the folder,
    which not every file system (btrfs, some overlays) keeps.
    """

    _is_locked = Queue._is_locked_nonlink


@dataclass(slots=True)
class QueueReport:
    """How many messages were loaded, known already, and rejected."""

    loaded: int = 0
    duplicates: int = 0
    rejected: int = 0
    records: int = 0

    def count(self, message: ImportReport) -> None:
        """Add a message that was not rejected; a rejected one counts nothing here."""
        if message.state == MessageState.REJECTED:
            return
        if message.duplicate:
            self.duplicates += 1
        else:
            self.loaded += 1
            self.records += message.records


def ingest_queue(
    path: Path,
    *,
    provider_id: int | None = None,
    sites: dict[str, int] | None = None,
    stale_lock_seconds: int = STALE_LOCK_SECONDS,
) -> QueueReport:
    """Take in every message in the queue at `path`, in its order; both of dirq's layouts are read.

    Elements that another reader has locked are left to it, until the lock is older than
    `stale_lock_seconds`: then that reader is dead. Raises ConfigurationError when there is no such
    folder. When the database or the disk fails, the element at hand stays in the queue.
    """
    if not path.is_dir():
        raise ConfigurationError(_("There is no queue folder %(path)s.") % {"path": path})
    queue = QueueSimple(str(path)) if _is_simple(path) else _Queue(str(path), schema=INCOMING)
    _unlock_stale(queue, stale_lock_seconds)
    report = QueueReport()
    name = queue.first()
    while name:
        if not _leads_elsewhere(path / name) and queue.lock(name):
            try:
                _take(queue, name, path, provider_id, sites or {}, report)
            except BaseException:
                queue.unlock(name, True)
                raise
        name = queue.next()
    return report


def _take(
    queue: Any,
    name: str,
    path: Path,
    provider_id: int | None,
    sites: dict[str, int],
    report: QueueReport,
) -> None:
    parts = _read(queue, name, path)
    error = "" if "body" in parts else _("The element has no body.")
    if not error:
        try:
            result = import_message(
                parts["body"],
                source="dirq",
                signer=parts.get("signer", b"").decode("utf-8", "replace").replace("\x00", "?"),
                provider_id=provider_id,
                sites=sites,
            )
        except PortalError as refusal:
            error = refusal.detail
        else:
            error = _reasons(result.errors)
            report.count(result)
    if error:
        report.rejected += 1
        element = {"body": b"", **parts, "error": error}
        _Queue(str(path.parent / "reject"), schema=REJECT).add(element)
        log.warning("usage.message_rejected", element=name, error=error.partition("\n")[0])
    try:
        queue.remove(name)  # what it brought is committed by now
    except (QueueError, OSError) as strange:  # files that do not belong there; it left the queue
        log.warning("usage.element_left_over", element=name, error=str(strange))


def _read(queue: Any, name: str, path: Path) -> dict[str, bytes]:
    """The parts of a locked element; of each no more than it takes to see that it is too large.

    (dirq's own `get` would read a file of any size, and follow links out of the queue.)
    """
    if isinstance(queue, QueueSimple):
        files = {"body": Path(queue.get_path(name))}
    else:
        files = {part: path / name / part for part in INCOMING}
    parts = {}
    for part, file in files.items():
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                parts[part] = opened.read(MOST_BYTES + 1)
    return parts


def _leads_elsewhere(element: Path) -> bool:
    """Whether a link takes the element's place: what is there may be another provider's queue."""
    linked = element.parent.is_symlink() or (element.is_symlink() and element.is_dir())
    if linked:
        log.warning("usage.link_left_alone", element=f"{element.parent.name}/{element.name}")
    return linked


def _reasons(errors: Any) -> str:
    lines = [f"line {e['line']}, {e['field']}: {e['reason']}" for e in errors]
    return "\n".join(line.replace(", :", ":") for line in lines)


def _is_simple(path: Path) -> bool:
    """Whether elements are files (dirq's QueueSimple) and not folders (its Queue)."""
    return any(
        element.is_file()
        for folder in path.iterdir()
        if _FOLDER.fullmatch(folder.name) and folder.is_dir()
        for element in folder.iterdir()
        if _ELEMENT.fullmatch(element.name)
    )


def _unlock_stale(queue: Any, seconds: int) -> None:
    try:
        # No maxtemp: dirq would also delete what a producer is just writing.
        queue.purge(maxtemp=0, maxlock=seconds)
    except OSError as error:
        log.warning("usage.purge_failed", error=str(error))
