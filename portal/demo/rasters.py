"""Rasters in and out: a window of the scene, cloud-optimised GeoTIFF, PNG pictures for a map."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster
from rasterio.transform import array_bounds
from rasterio.warp import Resampling, calculate_default_transform, reproject, transform_bounds
from rasterio.windows import Window
from rasterio.windows import from_bounds as window_from_bounds
from rasterio.windows import transform as window_transform

from portal.demo.grid import BANDS, EPSG, NO_DATA, PIXEL, SCALE

Box = tuple[float, float, float, float]
WGS84 = CRS.from_epsg(4326)
MISSING = -9999.0  # stored where a float raster has no value

# Colour ramps: positions 0…1 and their colours.
RAMPS: dict[str, tuple[tuple[float, tuple[int, int, int]], ...]] = {
    "NDVI": (
        (0.0, (72, 99, 144)),
        (0.35, (222, 209, 178)),
        (0.55, (226, 222, 150)),
        (0.75, (122, 176, 84)),
        (1.0, (18, 92, 46)),
    ),
    "NDWI": (
        (0.0, (146, 118, 74)),
        (0.45, (236, 228, 208)),
        (0.6, (148, 200, 222)),
        (1.0, (16, 62, 128)),
    ),
    "NDBI": (
        (0.0, (30, 96, 76)),
        (0.45, (228, 230, 214)),
        (0.6, (226, 158, 110)),
        (1.0, (138, 38, 44)),
    ),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """A window of one date: bands (reflectance, NaN outside), and where it is."""

    bands: dict[str, NDArray[np.float32]]
    transform: Affine
    bbox: Box  # of the pixels that were taken; west, south, east, north in degrees

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = next(iter(self.bands.values())).shape
        return rows, columns


def cut(path: Path, box: Box) -> Cut | None:
    """The pixels of a raster that touch a box in degrees; None when there are none."""
    with rasterio.open(path) as raster:
        edges = transform_bounds(WGS84, raster.crs, *box)
        wanted = window_from_bounds(*edges, transform=raster.transform)
        first_row = max(0, math.floor(wanted.row_off))
        first_column = max(0, math.floor(wanted.col_off))
        last_row = min(raster.height, math.ceil(wanted.row_off + wanted.height))
        last_column = min(raster.width, math.ceil(wanted.col_off + wanted.width))
        if last_row <= first_row or last_column <= first_column:
            return None
        window = Window(first_column, first_row, last_column - first_column, last_row - first_row)
        stored = raster.read(window=window)
        place = window_transform(window, raster.transform)
    values = np.where(stored == NO_DATA, np.nan, stored / np.float32(SCALE)).astype(np.float32)
    bounds = array_bounds(stored.shape[1], stored.shape[2], place)
    degrees = transform_bounds(CRS.from_epsg(EPSG), WGS84, *bounds)
    return Cut(dict(zip(BANDS, values, strict=True)), place, degrees)


def write_cog(
    path: Path,
    values: NDArray[Any],
    transform: Affine,
    *,
    nodata: float,
    description: str,
    colours: dict[int, tuple[int, int, int]] | None = None,
) -> None:
    """One band as a cloud-optimised GeoTIFF: tiled, with overviews, in the scene's CRS."""
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": values.shape[1],
        "height": values.shape[0],
        "count": 1,
        "dtype": values.dtype.name,
        "crs": CRS.from_epsg(EPSG),
        "transform": transform,
        "nodata": nodata,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as raster:
            raster.write(values, 1)
            raster.set_band_description(1, description)
            if colours:
                raster.write_colormap(1, colours)
        nearest = values.dtype.kind != "f"
        with memory.open() as raster:
            copy_raster(
                raster,
                path,
                driver="COG",
                COMPRESS="DEFLATE",
                PREDICTOR="YES",
                BLOCKSIZE=128,
                OVERVIEWS="IGNORE_EXISTING",
                OVERVIEW_RESAMPLING="NEAREST" if nearest else "AVERAGE",
                STATISTICS="YES",
            )


def write_ramp(
    path: Path, values: NDArray[np.float32], transform: Affine, ramp: str, low: float, high: float
) -> Box:
    """A picture of values in a colour ramp; its box in degrees."""
    share = np.clip((values - low) / (high - low), 0, 1)
    stops, colours = zip(*RAMPS[ramp], strict=True)
    channels = [np.interp(share, stops, [colour[i] for colour in colours]) for i in range(3)]
    return _write_png(path, channels, np.isfinite(values), transform)


def write_classes(
    path: Path,
    values: NDArray[np.uint8],
    transform: Affine,
    colours: dict[int, tuple[int, int, int]],
    hidden: int,
) -> Box:
    """A picture of classes, `hidden` ones transparent; its box in degrees."""
    table = np.zeros((256, 3), dtype=np.float64)
    for value, colour in colours.items():
        table[value] = colour
    return _write_png(path, list(np.moveaxis(table[values], -1, 0)), values != hidden, transform)


def write_true_colour(source: Path, path: Path) -> Box:
    """A picture of a whole date in natural colours; its box in degrees."""
    with rasterio.open(source) as raster:
        stored = raster.read([BANDS.index(name) + 1 for name in ("red", "green", "blue")])
        transform = raster.transform
    channels = [255 * np.clip((band / SCALE - 0.012) / 0.20, 0, 1) ** 0.62 for band in stored]
    return _write_png(path, channels, stored[0] != NO_DATA, transform)


def _write_png(
    path: Path, channels: list[NDArray[Any]], shown: NDArray[np.bool_], transform: Affine
) -> Box:
    """Warp to degrees, as maps lay pictures, and write with transparency around it."""
    stack = np.stack([*(c.round() for c in channels), shown * 255.0]).astype(np.uint8)
    rows, columns = shown.shape
    bounds = array_bounds(rows, columns, transform)
    source = CRS.from_epsg(EPSG)
    place, width, height = calculate_default_transform(source, WGS84, columns, rows, *bounds)
    warped = np.zeros((4, height, width), dtype=np.uint8)
    reproject(
        stack,
        warped,
        src_transform=transform,
        src_crs=source,
        dst_transform=place,
        dst_crs=WGS84,
        resampling=Resampling.nearest,
    )
    profile = {"driver": "PNG", "width": width, "height": height, "count": 4, "dtype": "uint8"}
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a picture knows no place
        with rasterio.open(path, "w", **profile) as picture:
            picture.write(warped)
    west, south, east, north = array_bounds(height, width, place)
    return west, south, east, north


def pixel_hectares() -> float:
    """The area of one pixel."""
    return PIXEL**2 / 10_000
