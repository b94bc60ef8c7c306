"""Reads files for `catalogue_client.raster` and `.vector`; runs as a script, in its own process.

On standard input one line of JSON for each file, {"arguments", "seconds"}, with the arguments

    look <driver> <path> <size>       → what `describe` gives, as a line, and a picture if it can be
    describe <driver> <path>          → JSON
    preview <driver> <path> <size>    → PNG
    sketch <kind> <path> <size>       → the box of a vector file, as a line, and a picture of it

On standard output for each a line, the outcome and the number of bytes that follow: `ok`, `refused`
with {"code", "detail"}, `late` or `died`.

Each file is opened in a child of its own, with limits; this process, which has the libraries
loaded, never opens one. What a file does to its child harms no other.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.transform import from_origin

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from catalogue_client.raster_child.picture import preview
from catalogue_client.raster_child.place import describe
from catalogue_client.raster_child.refusal import RefusalError
from catalogue_client.raster_child.sketch import sketch

MEMORY = 2 * 2**30
CPU_SECONDS = 60
MOST_ANSWER = 32 * 2**20  # bytes
REFUSED, DONE = 3, 0  # how a child ends
Fault = (RasterioError, ValueError, OverflowError, MemoryError, RefusalError)


def main(verb: str, driver: str, path: str, *arguments: str) -> bytes:
    if verb == "sketch":
        with rasterio.Env():
            return sketch(driver, path, int(arguments[0]))
    answers: dict[str, Callable[[DatasetReader], bytes]] = {
        "look": lambda source: look(source, int(arguments[0])),
        "describe": lambda source: json.dumps(describe(source)).encode(),
        "preview": lambda source: preview(source, int(arguments[0])),
    }
    with rasterio.Env(), rasterio.open(path, driver=driver) as source:
        return answers[verb](source)


def look(source: DatasetReader, size: int) -> bytes:
    """Both at once; what has a place and cannot be drawn is described all the same."""
    described = json.dumps(describe(source)).encode()
    try:
        return described + b"\n" + preview(source, size)
    except Fault:
        return described + b"\n"


def in_child(writing: int, arguments: list[str]) -> int:
    """What a child does: answer one question, with no more than it may use."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        answer, status = main(*arguments), DONE
    except Fault as error:
        answer, status = refusal(error), REFUSED
    left = memoryview(answer)
    while left:
        left = left[os.write(writing, left) :]
    return status


def refusal(error: BaseException) -> bytes:
    code = error.code if isinstance(error, RefusalError) else "damaged"
    if isinstance(error, MemoryError):
        code = "too_large"
    return json.dumps({"code": code, "detail": str(error)[:300]}).encode()


def answered(arguments: list[str], seconds: float) -> tuple[str, bytes]:
    """The outcome and the answer of a child, which is gone then."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(reading)
            status = in_child(writing, arguments)
        finally:
            os._exit(status)
    os.close(writing)
    data = collected(reading, seconds)
    os.close(reading)
    if data is None:
        os.kill(pid, signal.SIGKILL)
    _, ended = os.waitpid(pid, 0)
    if data is None:
        return "late", b""
    word = {DONE: "ok", REFUSED: "refused"}.get(os.waitstatus_to_exitcode(ended), "died")
    return word, data if word != "died" else b""


def collected(reading: int, seconds: float) -> bytes | None:
    """What a child writes until its end; None when it takes too long or writes too much."""
    end = time.monotonic() + seconds
    data = bytearray()
    while len(data) <= MOST_ANSWER:
        left = end - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return None
        piece = os.read(reading, 2**20)
        if not piece:
            return bytes(data)
        data += piece
    return None


def warm_up() -> None:
    """Draw a raster of our own: what the libraries load at first use is there for every child."""
    with MemoryFile() as memory:
        grid = from_origin(430_000, 4_540_000, 20, 20)
        profile = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "float32"}
        with memory.open(crs="EPSG:32633", transform=grid, **profile) as file:
            file.write(np.arange(64, dtype="float32").reshape(1, 8, 8))
        with memory.open() as source:
            look(source, 8)


def serve() -> None:
    """Answer until nobody asks any more."""
    warm_up()
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        word, data = answered(asked["arguments"], asked["seconds"])
        sys.stdout.buffer.write(f"{word} {len(data)}\n".encode() + data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
