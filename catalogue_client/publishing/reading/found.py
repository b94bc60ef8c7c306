"""What a document among the outputs says, in no format's words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from catalogue_client import geometry as geo
from common.errors import InvalidInput

LONGEST_TITLE = 255


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of files that belong together; `via` are addresses of what they come from."""

    identifier: str = ""
    title: str = ""
    geometry: Mapping[str, Any] | None = None
    bbox: geo.Box | None = None
    start: datetime | None = None
    end: datetime | None = None
    via: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file at an address; `role` is data, thumbnail or metadata, `sha256` hexadecimal or ""."""

    href: str
    title: str = ""
    media_type: str = ""
    size: int | None = None
    sha256: str = ""
    role: str = "data"
    entry: Entry = Entry()


@dataclass(frozen=True, slots=True)
class Reading:
    """Files, addresses of further documents that tell of more, and what could not be used.

    `search`: the document describes a search, which is used as it is.
    """

    files: tuple[File, ...] = ()
    further: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    search: bool = False


def place(geometry: object, bbox: object = None) -> tuple[dict[str, Any] | None, geo.Box | None]:
    """A geometry and a box, as far as they can be used."""
    shape = box = None
    try:
        if geometry is not None:
            shape = geo.checked(geometry)
            box = geo.box_of(shape)
    except InvalidInput:
        shape = None
    try:
        if box is None and isinstance(bbox, list | tuple):
            box = geo.checked_box(bbox)
    except InvalidInput:
        box = None
    return shape, box


def size(value: object) -> int | None:
    """A number of bytes that a document names; None when it is none."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:19])
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if 0 <= value < 2**63 else None


def sha256(value: object) -> str:
    """A checksum if it is one of SHA-256, also as a multihash; else ""."""
    text = value.strip().lower() if isinstance(value, str) else ""
    text = text.removeprefix("1220") if len(text) == 68 else text  # noqa: PLR2004 (multihash)
    right = len(text) == 64 and all(c in "0123456789abcdef" for c in text)  # noqa: PLR2004
    return text if right else ""
