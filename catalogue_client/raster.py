"""Looking into raster files that came from elsewhere: where they lie, and a picture of them.

A file may be hostile, so it is opened in a process of its own (`raster_child`), with limits on
memory and time, a library that may read only the format the file begins like, no side-car files
and no network. Whatever goes wrong there is InvalidInput here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext as _

from catalogue_client import raster_processes
from catalogue_client.records import RasterInfo
from common.errors import InvalidInput

log = structlog.get_logger(__name__)

SECONDS = 60
SIZE = 1024  # pixels of a picture, wide and high at most
_BEGINNINGS = (
    (b"II*\0", "GTiff"),
    (b"MM\0*", "GTiff"),
    (b"II+\0", "GTiff"),
    (b"MM\0+", "GTiff"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)


def look(path: Path, *, size: int = SIZE, seconds: float = SECONDS) -> tuple[RasterInfo, bytes]:
    """`describe` and `preview` in one go; no picture (b"") of what has a place and cannot be drawn.

    Raises InvalidInput as `describe`.
    """
    described, _newline, picture = _ask("look", path, seconds, str(size)).partition(b"\n")
    return _info(described), picture


def describe(path: Path, *, seconds: float = SECONDS) -> RasterInfo:
    """Where a GeoTIFF lies and what its grid is, from its header alone.

    Raises InvalidInput for a file that is none, is damaged, has no place on Earth, or needs more
    than `seconds`.
    """
    return _info(_ask("describe", path, seconds))


def preview(path: Path, *, size: int = SIZE, seconds: float = SECONDS) -> bytes:
    """A PNG picture of a raster, at most `size` pixels wide and high.

    A GeoTIFF is warped to EPSG:4326, north up, exactly over the box that `describe` gives; where it
    has no data the picture is transparent. A PNG or JPEG is only made smaller. Raises InvalidInput
    as `describe`.
    """
    return _ask("preview", path, seconds, str(size))


def _info(described: bytes) -> RasterInfo:
    found = json.loads(described)
    numbers = {name: tuple(found[name]) for name in ("bbox", "transform")}
    return RasterInfo(**{**found, **numbers})


def _ask(verb: str, path: Path, seconds: float, *arguments: str) -> bytes:
    question = [verb, _driver(path), str(path.resolve()), *arguments]
    word, data = raster_processes.ask(question, seconds)
    if word == "late":
        raise InvalidInput(_("The raster takes too long to read."))
    if word != "ok":
        raise InvalidInput(_reason(data))
    return data


def _driver(path: Path) -> str:
    """The format by the file's first bytes; its name and its media type say nothing."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError:
        raise InvalidInput(_("The file cannot be read.")) from None
    for beginning, driver in _BEGINNINGS:
        if head.startswith(beginning):
            return driver
    raise InvalidInput(_("The file is neither GeoTIFF nor PNG nor JPEG."))


def _reason(told: bytes) -> str:
    """What to tell: the child's own sentence, never the library's, which may name paths."""
    try:
        said: Any = json.loads(told)
        reasons = {
            "not_placed": _("The raster does not say where on Earth it lies."),
            "too_large": _("The raster is too large to be drawn."),
            "damaged": _("The raster is damaged."),
        }
        log.info("raster.refused", code=said["code"], detail=said["detail"])
        return reasons[said["code"]]
    except (ValueError, LookupError, TypeError):
        log.warning("raster.child_died")
        return _("The raster cannot be read.")
