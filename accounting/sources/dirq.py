"""Usage messages from a directory queue, as SSM receivers and job accounting clients write them.

Each element: lock, get, take in, commit, remove. Whatever dies in between, the element stays and is
delivered again; the importer recognises it. What cannot be taken goes to the queue `reject` beside
this one, with the reasons. Options: none.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from dirq.Exceptions import QueueError
from dirq.queue import Queue
from dirq.QueueSimple import QueueSimple
from django.conf import settings
from django.utils.translation import gettext as _

from accounting.sources.contract import Delivery, Place
from accounting.sources.intake import Origin, Report, take_in
from accounting.usage.importer import MOST_BYTES
from accounting.usage.records import Sender
from common.errors import ConfigurationError, InvalidInput

log = structlog.get_logger(__name__)

# As bytes: what is not UTF-8 is the importer's to refuse, with the line.
INCOMING = {"body": "binary", "signer": "binary?", "empaid": "binary?"}
REJECT = {**INCOMING, "error": "string"}
STALE_LOCK_SECONDS = 600
NOBODY = Sender()
_FOLDER = re.compile(r"[0-9a-f]{8}")
_ELEMENT = re.compile(r"[0-9a-f]{14}")


class _Queue(Queue):
    """One folder per element, one file per part.

    Whether an element is locked is asked of the lock itself; dirq counts the links of the folder,
    which not every file system (btrfs, some overlays) keeps.
    """

    _is_locked = Queue._is_locked_nonlink


def check(place: Place) -> None:
    """The folder must be given from the root of the file system."""
    if not Path(place.address).is_absolute() or "\x00" in place.address:
        raise InvalidInput(_("This must be the full path of a folder."), locator="address")


def deliveries(place: Place) -> Generator[Delivery, None, None]:
    """Every message in the queue, in its order; nothing while there is no such folder yet.

    Only one worker reads a source at a time: an older lock is a dead worker's.
    """
    path = Path(place.address)
    if path.is_dir():
        yield from elements(path, stale_lock_seconds=settings.DUE_LEASE_SECONDS)


def ingest_queue(
    path: Path,
    *,
    sender: Sender = NOBODY,
    sites: Mapping[str, int] | None = None,
    stale_lock_seconds: int = STALE_LOCK_SECONDS,
) -> Report:
    """Take in every message in the queue at `path`, in its order; both of dirq's layouts are read.

    Raises ConfigurationError when there is no such folder. When the database or the disk fails,
    the element at hand stays in the queue.
    """
    if not path.is_dir():
        raise ConfigurationError(_("There is no queue folder %(path)s.") % {"path": path})
    report = Report()
    origin = Origin("dirq", sender, sites or {})
    with closing(elements(path, stale_lock_seconds=stale_lock_seconds)) as found:
        for delivery in found:
            take_in(delivery, origin, report)
    return report


def elements(path: Path, *, stale_lock_seconds: int) -> Generator[Delivery, None, None]:
    """The elements of the queue at `path`, each locked until it is removed or let go.

    Elements that another reader has locked are left to it, until the lock is older than
    `stale_lock_seconds`: then that reader is dead.
    """
    simple = _is_simple(path)
    queue = QueueSimple(str(path)) if simple else _Queue(str(path), schema=INCOMING)
    _unlock_stale(queue, stale_lock_seconds)
    gone: set[str] = set()
    name = queue.first()
    while name:
        if _belongs(path / name, simple=simple) and queue.lock(name):
            try:
                yield _delivery(queue, name, path, gone)
            finally:
                if name not in gone:
                    queue.unlock(name, True)
        name = queue.next()


def _delivery(queue: Any, name: str, path: Path, gone: set[str]) -> Delivery:
    parts = _read(queue, name, path)

    def acknowledge() -> None:
        gone.add(name)
        try:
            queue.remove(name)
        except (QueueError, OSError) as strange:  # files that do not belong; it left the queue
            log.warning("usage.element_left_over", element=name, error=str(strange))

    return Delivery(
        parts.get("body", b""),
        acknowledge,
        signer=parts.get("signer", b"").decode("utf-8", "replace").replace("\x00", "?").strip(),
        refused="" if "body" in parts else _("The element has no body."),
        put_aside=partial(_put_aside, path.parent / "reject", parts),
    )


def _put_aside(reject: Path, parts: Mapping[str, bytes], error: str) -> None:
    _Queue(str(reject), schema=REJECT).add({"body": b"", **parts, "error": error})


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


def _belongs(element: Path, *, simple: bool) -> bool:
    """Whether this is an element of the queue's layout, and no link: that may be another's queue.

    What does not belong stays where it is: no queue stops for it.
    """
    linked = element.parent.is_symlink() or (element.is_symlink() and element.is_dir())
    belongs = not linked and (simple or element.is_dir())
    if not belongs:
        log.warning("usage.element_left_alone", element=f"{element.parent.name}/{element.name}")
    return belongs


def _is_simple(path: Path) -> bool:
    """Whether elements are files (dirq's QueueSimple) and not folders (its Queue)."""
    elements = (
        element
        for folder in path.iterdir()
        if _FOLDER.fullmatch(folder.name) and folder.is_dir()
        for element in folder.iterdir()
        if _ELEMENT.fullmatch(element.name) and not element.is_symlink()
    )
    files = False
    for element in elements:
        if element.is_dir():
            return False
        files = True
    return files


def _unlock_stale(queue: Any, seconds: int) -> None:
    try:
        # No maxtemp: dirq would also delete what a producer is just writing.
        queue.purge(maxtemp=0, maxlock=seconds)
    except OSError as error:
        log.warning("usage.purge_failed", error=str(error))
