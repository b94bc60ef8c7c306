"""Bytes on their way out: whole, or the part that a Range header asks for (RFC 9110 §14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class OutputStream:
    """An output on its way: HTTP status (200, 206 for a part, 416), headers, chunks of bytes."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


def part_of(
    size: int, range_header: str, *, etag: str, chunks: Callable[[int, int], Iterator[bytes]]
) -> OutputStream:
    """Answer a Range of something whose size is known; `chunks(start, length)` gives its bytes.

    Several ranges at once get the whole, as the standard allows.
    """
    headers = {"accept-ranges": "bytes"}
    if etag:
        headers["etag"] = f'"{etag}"'
    wanted = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", range_header.replace(" ", ""))
    if wanted is None or not (wanted[1] or wanted[2]):
        headers["content-length"] = str(size)
        return OutputStream(200, headers, chunks(0, size))
    if wanted[1]:
        start = int(wanted[1])
        end = min(int(wanted[2]), size - 1) if wanted[2] else size - 1
    else:
        start, end = max(size - int(wanted[2]), 0), size - 1
    if wanted[1] and wanted[2] and int(wanted[2]) < int(wanted[1]):  # no range at all: ignored
        headers["content-length"] = str(size)
        return OutputStream(200, headers, chunks(0, size))
    if start > end:
        headers |= {"content-range": f"bytes */{size}", "content-length": "0"}
        return OutputStream(416, headers, iter(()))
    length = end - start + 1
    headers |= {"content-range": f"bytes {start}-{end}/{size}", "content-length": str(length)}
    return OutputStream(206, headers, chunks(start, length))


def read_part(file: IO[bytes], start: int, length: int) -> Iterator[bytes]:
    """`length` bytes of an open file from `start`."""
    file.seek(start)
    while length > 0 and (data := file.read(min(CHUNK, length))):
        length -= len(data)
        yield data
