"""Looking into raster files that came from elsewhere: where they lie, and a picture of them.

A file may be hostile, so it is opened in a process of its own (`raster_child`), with limits on
memory and time, a library that may read only the format the file begins like, no side-car files
and no network. Whatever goes wrong there is InvalidInput here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext as _

from catalogue_client.records import RasterInfo
from common.errors import InvalidInput

log = structlog.get_logger(__name__)

SECONDS = 60
CHILD = Path(__file__).with_name("raster_child") / "main.py"
_BEGINNINGS = (
    (b"II*\0", "GTiff"),
    (b"MM\0*", "GTiff"),
    (b"II+\0", "GTiff"),
    (b"MM\0+", "GTiff"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)
# The child gets nothing of the portal's environment, which may hold secrets.
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


def describe(path: Path, *, seconds: float = SECONDS) -> RasterInfo:
    """Where a GeoTIFF lies and what its grid is, from its header alone.

    Raises InvalidInput for a file that is none, is damaged, has no place on Earth, or needs more
    than `seconds`.
    """
    found = json.loads(_ask("describe", path, seconds))
    numbers = {name: tuple(found[name]) for name in ("bbox", "transform")}
    return RasterInfo(**{**found, **numbers})


def preview(path: Path, *, size: int = 1024, seconds: float = SECONDS) -> bytes:
    """A PNG picture of a raster, at most `size` pixels wide and high.

    A GeoTIFF is warped to EPSG:4326, north up, exactly over the box that `describe` gives; where it
    has no data the picture is transparent. A PNG or JPEG is only made smaller. Raises InvalidInput
    as `describe`.
    """
    return _ask("preview", path, seconds, str(size))


def _ask(verb: str, path: Path, seconds: float, *arguments: str) -> bytes:
    command = [sys.executable, "-I", str(CHILD), verb, _driver(path), str(path.resolve())]
    try:
        done = subprocess.run(  # noqa: S603 (our own script, no shell)
            [*command, *arguments],
            capture_output=True,
            check=False,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        raise InvalidInput(_("The raster takes too long to read.")) from None
    if done.returncode == 0:
        return done.stdout
    raise InvalidInput(_reason(done))


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


def _reason(done: subprocess.CompletedProcess[bytes]) -> str:
    """What to tell: the child's own sentence, never the library's, which may name paths."""
    try:
        said: Any = json.loads(done.stderr.decode(errors="replace").strip().splitlines()[-1])
        reasons = {
            "not_placed": _("The raster does not say where on Earth it lies."),
            "too_large": _("The raster is too large to be drawn."),
            "damaged": _("The raster is damaged."),
        }
        log.info("raster.refused", code=said["code"], detail=said["detail"])
        return reasons[said["code"]]
    except (ValueError, LookupError, TypeError):
        log.warning("raster.child_died", returncode=done.returncode)
        return _("The raster cannot be read.")
