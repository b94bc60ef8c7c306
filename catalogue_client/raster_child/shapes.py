"""Points, lines and polygons, gathered with their reference systems, and given in degrees."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import numpy as np
from rasterio.crs import CRS
from rasterio.errors import RasterioError
from rasterio.warp import transform

from catalogue_client.raster_child.refusal import RefusalError

LONLAT = "OGC:CRS84"
MOST_POINTS = 2_000_000
MOST_PARTS = 300_000
SLACK = 1e-6  # degrees beyond the edge of the world that rounding explains
WKT = re.compile(r"(GEOGCS|PROJCS|COMPD_CS|GEOGCRS|GEODCRS|PROJCRS|BOUNDCRS|COMPOUNDCRS)\[")
POINT, LINE, POLYGON = "point", "line", "polygon"


class Shapes:
    """Each shape is a list of rings, or of one line or point; `placed` gives them in degrees."""

    def __init__(self) -> None:
        self._shapes: list[tuple[str, int]] = []  # kind, number of its parts
        self._parts: list[tuple[str, np.ndarray]] = []  # reference system, positions
        self._points = 0

    def add(self, kind: str, parts: Iterable[Any], crs: str = LONLAT) -> None:
        """Add one shape; positions have x (east) first, heights are left out."""
        number = 0
        for part in parts:
            array = np.asarray(part, "float64")
            if array.size == 0:
                continue
            positions = np.atleast_2d(array)[:, :2]
            if positions.shape[1] != 2:
                raise RefusalError("damaged", "a position has one number")
            self._points += len(positions)
            self._parts.append((crs, positions))
            number += 1
        if number:
            self._shapes.append((kind, number))
        if self._points > MOST_POINTS or len(self._parts) > MOST_PARTS:
            raise RefusalError("too_large", "too many positions")

    def placed(self) -> list[tuple[str, list[np.ndarray]]]:
        """All shapes in degrees. Raises RefusalError when one is nowhere on Earth."""
        if not self._parts:
            raise RefusalError("damaged", "the file has no geometry")
        moved: list[np.ndarray] = []
        for crs, group in groupby(self._parts, key=lambda part: part[0]):
            moved += _in_degrees([positions for _crs, positions in group], crs)
        found, first = [], 0
        for kind, number in self._shapes:
            found.append((kind, moved[first : first + number]))
            first += number
        return found


def reference_system(name: str) -> tuple[str, bool]:
    """A reference system by a name of it (URN, URI, code, WKT), and whether positions written
    under that name have the northing first. Raises RefusalError."""
    if not name or "CRS84" in name:
        return LONLAT, False
    code = re.search(r"EPSG(?:[:/#]|\.xml#|/0/|::|:[\d.]*:)+(\d{4,6})$", name, re.IGNORECASE)
    if not code and not WKT.match(name):  # the library would open a file, or an address
        raise RefusalError("not_placed", "an unknown name of a reference system")
    try:
        crs = CRS.from_epsg(int(code[1])) if code else CRS.from_wkt(name)
        written = crs.to_wkt(version="WKT2_2019")
    except (RasterioError, ValueError) as error:
        raise RefusalError("not_placed", str(error)) from None
    formal = name.lower().startswith(("urn:", "http://www.opengis.net/def/", "https://www.open"))
    axis = re.search(r'AXIS\["[^"]*",\s*(\w+)', written)
    return (f"EPSG:{code[1]}" if code else name), bool(formal and axis and axis[1] == "north")


def _in_degrees(parts: Sequence[np.ndarray], crs: str) -> list[np.ndarray]:
    every = np.concatenate(parts)
    if crs != LONLAT:
        xs, ys = transform(crs, LONLAT, every[:, 0], every[:, 1])
        every = np.column_stack([xs, ys])
    inside = np.abs(every) <= np.array([180, 90]) + SLACK
    if not inside.all():  # NaN is inside of nothing
        raise RefusalError("not_placed", "positions are no degrees")
    every = np.clip(every, [-180, -90], [180, 90])
    return np.split(every, np.cumsum([len(part) for part in parts])[:-1])
