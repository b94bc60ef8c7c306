"""The processes that look into raster and vector files, each ready for the next one.

Loading the libraries takes longer than most files: so a process is kept, which opens none itself,
and every file gets a child of it. As many are at work as ask at the same moment.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

CHILD = Path(__file__).with_name("raster_child") / "main.py"
MOST_KEPT = 4
STARTING = 30  # seconds for the libraries to be loaded, on a busy machine
# The child gets nothing of the portal's environment, which may hold secrets. One thread: it forks.
_ENVIRONMENT = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_GEOREF_SOURCES": "INTERNAL",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_NUM_THREADS": "1",
    "GDAL_CACHEMAX": "128",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "CPL_LOG": os.devnull,
    "PROJ_NETWORK": "OFF",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class ProcessGoneError(Exception):
    """The process ended, or does not answer any more."""


class Asked:
    """One process that looks into files, one after the other."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603 (our own script, no shell)
            [sys.executable, "-I", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            bufsize=0,
        )

    def ask(self, arguments: list[str], seconds: float) -> tuple[str, bytes]:
        """Outcome and bytes, as `raster_child.main` says. Raises ProcessGoneError."""
        end = time.monotonic() + seconds + STARTING
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise ProcessGoneError
        try:
            stdin.write(json.dumps({"arguments": arguments, "seconds": seconds}).encode() + b"\n")
        except OSError:
            raise ProcessGoneError from None
        data = b""
        while b"\n" not in data:
            data += self._piece(stdout.fileno(), end)
        head, _, body = data.partition(b"\n")
        word, length = head.decode().split(" ")
        parts = bytearray(body)
        while len(parts) < int(length):
            parts += self._piece(stdout.fileno(), end)
        return word, bytes(parts)

    def stop(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.communicate()

    def _piece(self, source: int, end: float) -> bytes:
        left = end - time.monotonic()
        if left <= 0 or not select.select([source], [], [], left)[0]:
            raise ProcessGoneError
        data = os.read(source, 2**20)
        if not data:
            raise ProcessGoneError
        return data


_free: list[Asked] = []
_lock = threading.Lock()


def ask(arguments: list[str], seconds: float) -> tuple[str, bytes]:
    """Have a file looked into. `died` also when the process does not survive it twice."""
    for _attempt in range(2):  # one that was kept may have been ended meanwhile
        process = _taken()
        try:
            answer = process.ask(arguments, seconds)
        except (ProcessGoneError, ValueError):
            process.stop()
            continue
        _give_back(process)
        return answer
    return "died", b""


def _taken() -> Asked:
    with _lock:
        while _free:
            process = _free.pop()
            if process.owner == os.getpid():  # not one of the process that this was forked from
                return process
    return Asked()


def _give_back(process: Asked) -> None:
    with _lock:
        if len(_free) < MOST_KEPT:
            _free.append(process)
            return
    process.stop()
