"""Reads one raster file for `catalogue_client.raster`; runs as a script in a process of its own.

    raster_child.py describe <driver> <path>          → JSON on standard output
    raster_child.py preview <driver> <path> <size>    → PNG on standard output

A refusal is one line of JSON on standard error, {"code", "detail"}, and exit status 1. Nothing of
the portal is imported, so that a file that takes this process over finds nothing here.
"""

from __future__ import annotations

import json
import math
import resource
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.transform import Affine, from_bounds
from rasterio.warp import reproject, transform

MEMORY = 2 * 2**30
CPU_SECONDS = 60
MOST_PIXELS = 400_000_000  # read for one picture, over all bands
LARGEST_BLOCK = 128 * 2**20  # bytes that the library must hold to decode one block
EDGE_POINTS = 21
LONLAT = "EPSG:4326"
# From low to high values: dark blue, teal, green, yellow. Equally bright steps, also in grey.
RAMP = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
# Around zero: brown, sand, white, light green, green.
DIVERGING = ((140, 81, 10), (223, 194, 125), (245, 245, 245), (128, 193, 110), (0, 104, 55))


class RefusalError(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


# --- describe ------------------------------------------------------------------------------


def describe(source: DatasetReader) -> dict[str, Any]:
    """The facts of `RasterInfo`."""
    box, outline = place(source)
    code = source.crs.to_authority(confidence_threshold=90)
    nodata = source.nodata
    return {
        "bbox": box,
        "footprint": outline,
        "crs": ":".join(code) if code else source.crs.to_wkt(),
        "width": source.width,
        "height": source.height,
        "bands": source.count,
        "dtype": source.dtypes[0],
        "nodata": None if nodata is None else float(nodata),
        "transform": list(source.transform)[:6],
        "cloud_optimised": cloud_optimised(source),
        "driver": source.driver,
    }


def cloud_optimised(source: DatasetReader) -> bool:
    """Whether the file says it was laid out as COG, or is tiled with overviews as far as needed."""
    layout = source.tags(ns="IMAGE_STRUCTURE").get("LAYOUT") == "COG"
    tiled = source.profile.get("tiled", False)
    small = max(source.width, source.height) <= 512
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
        if away > 1e-7:
            kept.append([x, y])
    return [*kept, ring[0]] if len(kept) > 2 else ring


# --- preview -------------------------------------------------------------------------------


def preview(source: DatasetReader, size: int) -> bytes:
    """The picture, warped to longitude and latitude if the raster has a place."""
    placed = source.driver == "GTiff" and source.crs is not None
    bands = chosen_bands(source)
    step = max(1.0, max(source.width, source.height) / (2 * size if placed else size))
    check_cost(source, len(bands), step)
    shape = (max(1, round(source.height / step)), max(1, round(source.width / step)))
    how = Resampling.nearest if palette(source) or len(bands) == 1 else Resampling.average
    data = source.read(bands, out_shape=(len(bands), *shape), resampling=how).astype("float64")
    valid = valid_pixels(source, bands, data, shape)
    colours = coloured(source, data, valid)
    picture = np.concatenate([colours, np.where(valid, 255, 0)[None].astype("uint8")])
    if placed:
        scale = Affine.scale(source.width / shape[1], source.height / shape[0])
        picture = warped(picture, source, source.transform * scale, size)
    return png(picture)


def check_cost(source: DatasetReader, bands: int, step: float) -> None:
    """Refuse what would read or decode too much; overviews make a large raster cheap."""
    factor = max([f for f in source.overviews(1) if f <= step], default=1)
    if source.width * source.height * bands / factor**2 > MOST_PIXELS:
        raise RefusalError("too_large", "too many pixels without overviews")
    interleaved = source.count if source.interleaving and source.interleaving.name == "pixel" else 1
    for (height, width), dtype in zip(source.block_shapes, source.dtypes, strict=True):
        if height * width * np.dtype(dtype).itemsize * interleaved > LARGEST_BLOCK:
            raise RefusalError("too_large", "a single block is too large")


def chosen_bands(source: DatasetReader) -> list[int]:
    """Red, green, blue where the file names them, else the first three, else the first."""
    named = {kind: i for i, kind in enumerate(source.colorinterp, start=1)}
    rgb = [named.get(kind) for kind in (ColorInterp.red, ColorInterp.green, ColorInterp.blue)]
    if all(rgb):
        return [i for i in rgb if i]
    plain = [i for i, kind in enumerate(source.colorinterp, 1) if kind != ColorInterp.alpha]
    return plain[:3] if len(plain) >= 3 else plain[:1] or [1]


def valid_pixels(
    source: DatasetReader, bands: list[int], data: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    valid = np.isfinite(data).all(axis=0)
    flags = source.mask_flag_enums[bands[0] - 1]
    if MaskFlags.all_valid not in flags:
        masks = source.read_masks(
            bands, out_shape=(len(bands), *shape), resampling=Resampling.nearest
        )
        # Without data is a pixel that has it in no band; zero in one band may be a colour.
        valid &= (masks > 0).any(axis=0)
    result: np.ndarray = valid
    return result


def coloured(source: DatasetReader, data: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Three bands of 8 bits."""
    table = palette(source)
    if table and len(data) == 1:
        lookup = np.zeros((256, 3), "uint8")
        for index, colour in table.items():
            if 0 <= index < 256:
                lookup[index] = colour[:3]
        indices = np.where(valid, data[0], 0).clip(0, 255).astype("uint8")
        return np.moveaxis(lookup[indices], -1, 0)
    if len(data) == 1:
        return ramped(data[0], valid)
    if source.dtypes[0] == "uint8":
        return np.nan_to_num(data).astype("uint8")
    return np.stack([np.round(stretched(band, valid) * 255).astype("uint8") for band in data])


def palette(source: DatasetReader) -> dict[int, tuple[int, ...]]:
    if source.colorinterp[0] != ColorInterp.palette:
        return {}
    try:
        table: dict[int, tuple[int, ...]] = source.colormap(1)
    except ValueError:
        return {}
    return table


def ramped(band: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """One band through a ramp of colours; an index around zero through one that shows the zero."""
    values = band[valid]
    if values.size and values.min() < 0 < values.max() and np.abs(values).max() <= 1:
        most = float(np.percentile(np.abs(values), 98)) or 1.0
        position, anchors = np.clip(np.nan_to_num(band) / most, -1, 1) / 2 + 0.5, DIVERGING
    else:
        position, anchors = stretched(band, valid), RAMP
    stops = np.linspace(0, 1, len(anchors))
    channels = [np.interp(position, stops, [a[i] for a in anchors]) for i in range(3)]
    return np.stack(channels).round().astype("uint8")


def stretched(band: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """0 to 1 between the 2nd and the 98th percentile, so that single pixels do not decide."""
    values = band[valid]
    low, high = np.percentile(values, (2, 98)) if values.size else (0.0, 1.0)
    if high <= low:
        low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
    span = (high - low) or 1.0
    result: np.ndarray = np.clip((np.where(valid, band, low) - low) / span, 0, 1)
    return result


def warped(picture: np.ndarray, source: DatasetReader, grid: Affine, size: int) -> np.ndarray:
    """The picture in EPSG:4326 over the raster's box, square degrees, north up."""
    (west, south, east, north), _ = place(source)
    crosses = west > east
    if crosses:  # seen from the antimeridian the box is in one piece
        west, east = west - 180, east + 180
    width_deg, height_deg = max(east - west, 1e-9), max(north - south, 1e-9)
    scale = min(size, max(picture.shape[1:])) / max(width_deg, height_deg)
    width = min(size, max(1, round(width_deg * scale)))
    height = min(size, max(1, round(height_deg * scale)))
    result = np.zeros((4, height, width), "uint8")
    reproject(
        picture,
        result,
        src_transform=grid,
        src_crs=source.crs,
        dst_transform=from_bounds(west, south, east, north, width, height),
        dst_crs="+proj=longlat +datum=WGS84 +pm=180" if crosses else LONLAT,
        resampling=Resampling.nearest,
    )
    return result


def png(picture: np.ndarray) -> bytes:
    with MemoryFile() as memory:
        _, height, width = picture.shape
        with memory.open(driver="PNG", width=width, height=height, count=4, dtype="uint8") as file:
            file.write(picture)
        return bytes(memory.getbuffer())


# --- the script ----------------------------------------------------------------------------


def main(verb: str, driver: str, path: str, *arguments: str) -> bytes:
    answers: dict[str, Callable[[DatasetReader], bytes]] = {
        "describe": lambda source: json.dumps(describe(source)).encode(),
        "preview": lambda source: preview(source, int(arguments[0])),
    }
    with rasterio.Env(), rasterio.open(path, driver=driver) as source:
        return answers[verb](source)


def refused(code: str, detail: str) -> int:
    sys.stderr.write("\n" + json.dumps({"code": code, "detail": detail[:300]}) + "\n")
    return 1


def run(arguments: list[str]) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        answer = main(*arguments)
    except RefusalError as refusal:
        return refused(refusal.code, str(refusal))
    except MemoryError:
        return refused("too_large", "out of memory")
    except (RasterioError, ValueError, OverflowError) as error:
        return refused("damaged", str(error))
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
