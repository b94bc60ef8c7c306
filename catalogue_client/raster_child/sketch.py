"""A picture of the shapes in a vector file, over their box in longitude and latitude."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from lxml import etree
from rasterio.errors import RasterioError
from rasterio.features import rasterize
from shapely.errors import ShapelyError

from catalogue_client.raster_child.picture import png
from catalogue_client.raster_child.refusal import RefusalError
from catalogue_client.raster_child.shapes import LINE, POINT, POLYGON
from catalogue_client.raster_child.vector_files import read

FILL, EDGE = (33, 145, 140, 110), (59, 82, 139, 255)
NARROW = 8  # pixels: what is flatter than that is drawn no smaller
DAMAGE = (
    RasterioError, ShapelyError, sqlite3.Error, zipfile.BadZipFile, zlib.error, struct.error,
    etree.XMLSyntaxError, ValueError, TypeError, LookupError, AttributeError, RuntimeError,
    EOFError, RecursionError,
)  # fmt: skip


def sketch(kind: str, path: str, size: int) -> bytes:
    """The box as a line of JSON, and the picture: none for what has no extent.

    Raises RefusalError.
    """
    try:
        shapes = read(kind, path).placed()
    except DAMAGE as error:
        raise RefusalError("damaged", f"{type(error).__name__}: {error}") from None
    every = np.concatenate([part for _kind, parts in shapes for part in parts])
    (west, south), (east, north) = every.min(axis=0), every.max(axis=0)
    box = json.dumps([float(number) for number in (west, south, east, north)]).encode()
    if east - west <= 0 or north - south <= 0:
        return box + b"\n"
    scale = (size - 1) / max(east - west, north - south)
    width = max(NARROW, round((east - west) * scale) + 1)
    height = max(NARROW, round((north - south) * scale) + 1)
    steps = np.array([(width - 1) / (east - west), (height - 1) / (north - south)])
    drawn: dict[str, list[list[np.ndarray]]] = {kind: [] for kind in (POLYGON, LINE, POINT)}
    for one, parts in shapes:
        pixels = [(part - [west, north]) * steps * [1, -1] + 0.5 for part in parts]
        drawn[one].append(pixels)
    return box + b"\n" + png(_picture(drawn, height, width))


def _picture(drawn: dict[str, list[list[np.ndarray]]], height: int, width: int) -> np.ndarray:
    shape = (height, width)
    rings = [[ring.tolist() for ring in rings if len(ring) > 3] for rings in drawn[POLYGON]]
    fill = _burnt(({"type": "Polygon", "coordinates": one} for one in rings if one), shape)
    every = [part for shapes in (drawn[POLYGON], drawn[LINE]) for parts in shapes for part in parts]
    lines = ({"type": "LineString", "coordinates": p.tolist()} for p in every if len(p) > 1)
    points = [part[0].tolist() for parts in drawn[POINT] for part in parts]
    edge = _wider(_burnt(lines, shape), 1)
    edge |= _wider(_burnt(({"type": "Point", "coordinates": p} for p in points), shape), 3)
    picture = np.zeros((4, height, width), "uint8")
    for mask, colour in ((fill, FILL), (edge, EDGE)):
        for band, value in enumerate(colour):
            picture[band][mask] = value
    return picture


def _burnt(geometries: Iterable[dict[str, Any]], shape: tuple[int, int]) -> np.ndarray:
    listed = list(geometries)
    if not listed:
        return np.zeros(shape, bool)
    burnt: np.ndarray = rasterize(listed, out_shape=shape, all_touched=True, dtype="uint8") > 0
    return burnt


def _wider(mask: np.ndarray, by: int) -> np.ndarray:
    """The mask with the pixels around it, `by` at most."""
    for _step in range(by):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        mask = grown
    return mask
