"""Looking into vector files that came from elsewhere: where they lie, and a picture of them.

As rasters, they are read and drawn in a process of its own with limits on memory and time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext as _

from catalogue_client import geometry as geo
from catalogue_client import raster_processes
from common.errors import InvalidInput

log = structlog.get_logger(__name__)

MOST_BYTES = 32 * 2**20
SIZE = 512  # pixels of a picture, wide or high at most
SECONDS = 30
JSON = frozenset({"application/geo+json", "application/vnd.geo+json"})
MEDIA_TYPES = JSON | {
    "application/vnd.google-earth.kml+xml",
    "application/vnd.google-earth.kmz",
    "application/gml+xml",
    "application/geopackage+sqlite3",
    "application/zip",
    "application/x-zipped-shp",
}
# How files begin; their name and their media type say nothing.
_BEGINNINGS = (
    (b"PK\x03\x04", "zip"),
    (b"SQLite format 3\0", "sqlite"),
    (b"{", "json"),
    (b"<", "xml"),
)


def look(path: Path, *, size: int = SIZE, seconds: float = SECONDS) -> tuple[geo.Box, bytes]:
    """The box around everything in a GeoJSON, KML, KMZ or GML file, a GeoPackage or a zipped
    shapefile, in degrees; and a PNG picture exactly over it: none (b"") of what has no extent,
    cannot be drawn, or crosses the antimeridian.

    Raises InvalidInput for a file that is none of these, is damaged or too large, has no place on
    Earth, or needs more than `seconds`.
    """
    kind = _kind(path)
    box = bbox(path) if kind == "json" else None
    try:
        told, _newline, picture = _sketched(kind, path, size, seconds).partition(b"\n")
    except InvalidInput:
        if box is None:
            raise
        return box, b""
    west, south, east, north = json.loads(told)
    if box is not None and box[0] > box[2]:
        picture = b""
    return box or (west, south, east, north), picture


def _kind(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInput(_("The file is too large to be looked into."))
    with path.open("rb") as file:
        head = file.read(200).removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    raise InvalidInput(_("The file is of no format that the portal draws."))


def _sketched(kind: str, path: Path, size: int, seconds: float) -> bytes:
    question = ["sketch", kind, str(path.resolve()), str(size)]
    word, data = raster_processes.ask(question, seconds)
    if word == "ok":
        return data
    code = "late" if word == "late" else "damaged"
    if word == "refused":
        said = json.loads(data)
        code = said["code"]
        log.info("vector.refused", code=code, detail=said["detail"])
    reasons = {
        "late": _("The file takes too long to read."),
        "not_placed": _("The file does not say where on Earth it lies."),
        "too_large": _("The file is too large to be drawn."),
    }
    raise InvalidInput(reasons.get(code, _("The file is damaged.")))


def bbox(path: Path) -> geo.Box:
    """The box around everything in a GeoJSON file, in degrees.

    Raises InvalidInput for a file that is too large, is not GeoJSON in longitude and latitude, or
    is empty.
    """
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInput(_("The GeoJSON file is too large to be looked into."))
    try:
        document = json.loads(path.read_bytes())
        boxes = [geo.box_of(geo.checked(g)) for g in _geometries(document)]
    except (ValueError, RecursionError):
        raise InvalidInput(_("The file is not valid GeoJSON.")) from None
    found = geo.union(box for box in boxes if box)
    if found is None:
        raise InvalidInput(_("The GeoJSON file has no geometry."))
    return found


def _geometries(document: Any) -> Iterator[Any]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        for feature in document["features"]:
            yield from _geometries(feature)
    elif kind == "Feature":
        if document.get("geometry") is not None:
            yield document["geometry"]
    elif kind in geo.KINDS:
        yield document
    else:
        raise InvalidInput(_("The file is not valid GeoJSON."))
