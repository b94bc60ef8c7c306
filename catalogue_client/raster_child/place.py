"""Where a raster lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from rasterio.io import DatasetReader
from rasterio.transform import Affine
from rasterio.warp import transform

from catalogue_client.raster_child.refusal import RefusalError

EDGE_POINTS = 21
LONLAT = "EPSG:4326"
FLAT = 1e-7  # degrees, a centimetre: nearer than that to a straight line, a point says nothing
SMALL = 512  # pixels: a tiled file of this size needs no overviews


def describe(source: DatasetReader) -> dict[str, Any]:
    """The facts of `RasterInfo`."""
    box, outline = place(source)
    code = source.crs.to_authority(confidence_threshold=90)
    return {
        "bbox": box,
        "footprint": outline,
        "crs": ":".join(code) if code else source.crs.to_wkt(),
        "width": source.width,
        "height": source.height,
        "bands": source.count,
        "dtype": source.dtypes[0],
        "nodata": nodata(source),
        "transform": list(source.transform)[:6],
        "cloud_optimised": cloud_optimised(source),
        "driver": source.driver,
    }


def nodata(source: DatasetReader) -> float | str | None:
    """The value that means none; as a word where JSON has no number for it."""
    value = source.nodata
    if value is None or math.isfinite(value):
        return None if value is None else float(value)
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"


def cloud_optimised(source: DatasetReader) -> bool:
    """Whether the file says it was laid out as COG, or is tiled with overviews as far as needed."""
    layout = source.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG"
    tiled = source.profile.get("tiled", False)
    small = max(source.width, source.height) <= SMALL
    return bool(layout or (tiled and (small or source.overviews(1))))


def place(source: DatasetReader) -> tuple[list[float], dict[str, Any]]:
    """Box and outline of the grid in degrees, longitude first."""
    if source.crs is None or source.transform.is_identity:
        raise RefusalError("not_placed", "no reference system or no position")
    xs, ys = edge(source.transform, source.width, source.height)
    lons, lats = transform(source.crs, LONLAT, xs, ys)
    if not all(map(math.isfinite, [*lons, *lats])):
        raise RefusalError("not_placed", "positions outside of the reference system")
    lons = unwrapped(lons)
    south, north = max(min(lats), -90.0), min(max(lats), 90.0)
    if abs(lons[-1] - lons[0]) > 180:  # the edge goes around a pole
        south, north = (south, 90.0) if north > 0 else (-90.0, north)
        return boxed(-180.0, south, 180.0, north)
    west, east = min(lons), max(lons)
    if east - west >= 360:
        return boxed(-180.0, south, 180.0, north)
    if west < -180 or east > 180:
        return boxed(normal(west), south, normal(east), north)
    ring = [[lon, lat] for lon, lat in zip(lons, lats, strict=True)]
    corners = simplified(ring)
    return [west, south, east, north], {"type": "Polygon", "coordinates": [corners]}


def edge(grid: Affine, width: int, height: int) -> tuple[list[float], list[float]]:
    """Points along the edge, closed, counter-clockwise for a grid that is north up."""
    steps = np.linspace(0, 1, EDGE_POINTS)[:-1]
    cols = np.concatenate([0 * steps, steps, 0 * steps + 1, 1 - steps, [0]]) * width
    rows = np.concatenate([steps, 0 * steps + 1, 1 - steps, 0 * steps, [0]]) * height
    xs, ys = grid * (cols, rows)
    return list(map(float, xs)), list(map(float, ys))


def unwrapped(lons: Sequence[float]) -> list[float]:
    """The longitudes without jumps at ±180, which may then lie outside of it."""
    return [float(x) for x in np.degrees(np.unwrap(np.radians(np.asarray(lons))))]


def normal(lon: float) -> float:
    return (lon + 180) % 360 - 180


def boxed(
    west: float, south: float, east: float, north: float
) -> tuple[list[float], dict[str, Any]]:
    """A box and its outline, cut where it crosses ±180."""
    spans = [(west, east)] if west < east else [(west, 180.0), (-180.0, east)]
    rings = [
        [[[w, south], [e, south], [e, north], [w, north], [w, south]]] for w, e in spans if w < e
    ]
    return [west, south, east, north], {"type": "MultiPolygon", "coordinates": rings}


def simplified(ring: list[list[float]]) -> list[list[float]]:
    """The ring without points within a centimetre of the straight line between neighbours."""
    kept = [ring[0]]
    for (x, y), (after_x, after_y) in pairwise(ring[1:]):
        before_x, before_y = kept[-1]
        dx, dy = after_x - before_x, after_y - before_y
        away = abs((x - before_x) * dy - (y - before_y) * dx) / (math.hypot(dx, dy) or 1.0)
        if away > FLAT:
            kept.append([x, y])
    return [*kept, ring[0]] if len(kept) > 2 else ring
