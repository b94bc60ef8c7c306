"""One output fetched into a file on this machine, piece by piece, going on after a kill."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import ProviderError, ServerBusy, TooLarge
from jobs.models import JobOutput
from jobs.outputs import open_original
from jobs.streams import CHUNK, OutputStream

RENEW_SECONDS = 10


class Fetching:
    """The file of one output on its way. `alive` says whether the work is still ours to do."""

    def __init__(self, output: JobOutput, *, alive: Callable[[], bool]) -> None:
        folder = Path(settings.RESULTS_ON_THEIR_WAY)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{output.pk}.part"
        self._mark = folder / f"{output.pk}.json"
        self._output = output
        self._alive = alive

    def fetch(self, *, most: int) -> tuple[int, str]:
        """Size and SHA-256 of the whole file, now at `path`.

        Raises TooLarge above `most` bytes, ServerBusy when another process is at it, NotFound and
        ProviderError as `open_original`.
        """
        with self.path.open("a+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ServerBusy from None
            begun = file.seek(0, 2)
            if not (begun and self._known() and self._go_on(file, begun, most)):
                file.truncate(0)
                with open_original(self._output) as source:
                    self._mark.write_text(json.dumps(_mark_of(source)))
                    self._take(file, source, most)
            file.flush()
            return _sum_of(file)

    def forget(self) -> None:
        """Nothing of it is needed any more."""
        self.path.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def _go_on(self, file: IO[bytes], begun: int, most: int) -> bool:
        """Fetch what is missing; False when the provider gives no part, or of something else."""
        with open_original(self._output, range_header=f"bytes={begun}-") as source:
            place = re.match(r"bytes ([0-9]{1,18})-", source.headers.get("content-range", ""))
            goes_on = source.status == 206 and place is not None and int(place[1]) == begun  # noqa: PLR2004
            if not goes_on or _mark_of(source) != self._known():
                return False
            self._take(file, source, most)
            return True

    def _take(self, file: IO[bytes], source: OutputStream, most: int) -> None:
        size = file.seek(0, 2)
        if size + int(source.headers.get("content-length", 0)) > most:
            raise _too_large()
        renewed = time.monotonic()
        for chunk in source.chunks:
            size += len(chunk)
            if size > most:
                raise _too_large()
            file.write(chunk)
            if time.monotonic() - renewed > RENEW_SECONDS:
                renewed = time.monotonic()
                if not self._alive():
                    raise ProviderError(_("Another worker has taken this over."))

    def _known(self) -> Any:
        try:
            return json.loads(self._mark.read_text())
        except (OSError, ValueError):
            return None


def _mark_of(source: OutputStream) -> dict[str, str] | None:
    """By what the provider tells one state of a file from another; None when by nothing."""
    found = {n: source.headers[n] for n in ("etag", "last-modified") if n in source.headers}
    return found or None


def _too_large() -> TooLarge:
    return TooLarge(_("The result is larger than what may be copied."))


def _sum_of(file: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while data := file.read(CHUNK):
        digest.update(data)
        size += len(data)
    return size, digest.hexdigest()
