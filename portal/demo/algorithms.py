"""What the demo's processes compute, as pure functions: indices, change, zones, buffers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import geometry_mask, sieve
from rasterio.warp import transform_geom
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Each is (a − b) / (a + b).
INDICES = {"NDVI": ("nir", "red"), "NDWI": ("green", "nir"), "NDBI": ("swir", "nir")}
UNCHANGED, GAIN, LOSS, OUTSIDE = 0, 1, 2, 255
WGS84 = "EPSG:4326"

STATISTICS: dict[str, Callable[[Array], float]] = {
    "mean": lambda values: float(np.mean(values, dtype=np.float64)),
    "median": lambda values: float(np.median(values)),
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
    "std": lambda values: float(np.std(values, dtype=np.float64)),
    "count": lambda values: float(values.size),
}


def index(bands: Mapping[str, Array], name: str) -> Array:
    """A normalised difference index, −1…1; NaN where there is no data."""
    first, second = (bands[band] for band in INDICES[name])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((first - second) / (first + second), dtype=np.float32)


def above(values: Array, threshold: float, smallest: int) -> Mask:
    """Where a value is above a threshold, patches of fewer than `smallest` pixels removed."""
    mask = np.nan_to_num(values, nan=-np.inf) > threshold
    return _without_specks(mask.astype(np.uint8), smallest) == 1


def change(before: Array, after: Array, threshold: float, smallest: int) -> NDArray[np.uint8]:
    """UNCHANGED, GAIN or LOSS of an index by more than a threshold; OUTSIDE without data."""
    difference = after - before
    classes = np.full(difference.shape, UNCHANGED, dtype=np.uint8)
    classes[difference > threshold] = GAIN
    classes[difference < -threshold] = LOSS
    classes = _without_specks(classes, smallest)
    classes[~np.isfinite(difference)] = OUTSIDE
    return classes


def _without_specks(classes: NDArray[np.uint8], smallest: int) -> NDArray[np.uint8]:
    if smallest < 2:  # noqa: PLR2004 (one pixel is no speck)
        return classes
    return np.asarray(sieve(classes, size=smallest), dtype=np.uint8)


def smoothed(values: Array, passes: int) -> Array:
    """A 3 × 3 mean, again and again; pixels without data do not spread."""
    for _pass in range(passes):
        known = np.isfinite(values)
        total = _sum_of_nine(np.where(known, values, 0).astype(np.float32))
        count = _sum_of_nine(known.astype(np.float32))
        values = np.where(known, total / np.maximum(count, 1), np.nan).astype(np.float32)
    return values


def _sum_of_nine(values: Array) -> Array:
    rows, columns = values.shape
    padded = np.pad(values, 1)
    parts = (padded[r : r + rows, c : c + columns] for r in range(3) for c in range(3))
    total: Array = np.sum(np.stack(list(parts)), axis=0)
    return total


def zone_statistics(
    features: Iterable[Mapping[str, Any]],
    values: Array,
    transform: Affine,
    crs: str,
    wanted: Iterable[str],
) -> list[dict[str, float | None]]:
    """Statistics of the pixels whose centres lie in each feature; None where there are none."""
    names = list(wanted)
    results: list[dict[str, float | None]] = []
    for feature in features:
        place = transform_geom(WGS84, crs, feature["geometry"])
        inside = geometry_mask([place], values.shape, transform, invert=True)
        found = values[inside & np.isfinite(values)]
        if found.size:
            results.append({name: round(STATISTICS[name](found), 6) for name in names})
        else:
            results.append({name: 0.0 if name == "count" else None for name in names})
    return results


def buffered(
    features: Iterable[Mapping[str, Any]], metres: float, segments: int, *, dissolve: bool
) -> list[dict[str, Any]]:
    """Features grown (or, negative, shrunk) by a distance on the ground; empty ones left out."""
    grown = [
        (dict(feature.get("properties") or {}), _grow(feature["geometry"], metres, segments))
        for feature in features
    ]
    if dissolve:
        grown = [({"features": len(grown)}, unary_union([geometry for _, geometry in grown]))]
    return [
        {"type": "Feature", "properties": properties, "geometry": mapping(geometry)}
        for properties, geometry in grown
        if not geometry.is_empty
    ]


def _grow(geometry: Mapping[str, Any], metres: float, segments: int) -> BaseGeometry:
    """In an equidistant map around the feature itself, so that a metre is a metre anywhere."""
    middle = shape(geometry).envelope.centroid
    local = f"+proj=aeqd +lat_0={middle.y} +lon_0={middle.x} +ellps=WGS84 +units=m"
    flat = shape(transform_geom(WGS84, local, geometry)).buffer(metres, segments)
    return flat if flat.is_empty else shape(transform_geom(local, WGS84, mapping(flat)))
