"""A made-up piece of land from smooth noise and split fields; the same for the same seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize

Array = NDArray[np.float32]
Corner = tuple[float, float]

CROPS = ("winter wheat", "maize", "rapeseed", "sugar beet", "meadow", "fallow")
COVERS = ("water", "town", "forest", *CROPS, "clearing", "flood", "building site")
_TILT = math.radians(19)
_MOST_PARCELS = 60
WOODED = 0.98  # noise above it is forest


@dataclass(frozen=True, slots=True)
class Parcel:
    """A plot by its corners (column, row) and its use."""

    corners: tuple[Corner, ...]
    use: str
    pixels: int


@dataclass(frozen=True, slots=True)
class Landscape:
    """`cover` indexes `names`; `vigour`, `texture` and `relief` vary the reflectances."""

    names: tuple[str, ...]
    cover: NDArray[np.intp]
    vigour: Array
    texture: Array
    relief: Array
    parcels: list[Parcel]


def landscape(size: int, seed: int) -> Landscape:
    """Draw the land of `size` × `size` pixels."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    relief = _noise(rng, size, 3)
    fields = _fields(rng, size)
    uses = rng.choice(len(CROPS), len(fields), p=(0.27, 0.24, 0.14, 0.1, 0.17, 0.08))
    shapes = [({"type": "Polygon", "coordinates": [[*f, f[0]]]}, i) for i, f in enumerate(fields)]
    plot = rasterize(shapes, out_shape=(size, size), fill=0, dtype="int32")
    index = {name: number for number, name in enumerate(COVERS)}
    cover = np.array([index[CROPS[use]] for use in uses])[plot]
    cover[_noise(rng, size, 5) + 0.5 * relief > WOODED] = index["forest"]
    cover[_town(rng, rows, columns, size)] = index["town"]
    _draw_changes(cover, rows, columns, index)
    cover[_river(rng, rows, columns, size)] = index["water"]
    vigour = rng.normal(0, 0.055, len(fields)).astype(np.float32)[plot]
    texture = (_noise(rng, size, 24, octaves=2) - 0.5) * 0.16
    built = cover == index["town"]
    texture[built] += rng.normal(0, 0.16, int(built.sum())).astype(np.float32)
    parcels = _whole_parcels(fields, plot, cover, [index[CROPS[use]] for use in uses])
    return Landscape(COVERS, cover, vigour, texture, relief, parcels)


def _noise(rng: np.random.Generator, size: int, cells: int, octaves: int = 4) -> Array:
    """Smooth noise in 0…1: random grids, each finer and weaker than the one before."""
    total = np.zeros((size, size), dtype=np.float64)
    weight = 1.0
    for _octave in range(octaves):
        grid = rng.random((cells + 1, cells + 1))
        place = np.linspace(0, cells, size, endpoint=False)
        low = place.astype(int)
        part = place - low
        part = part * part * (3 - 2 * part)  # no creases at the grid's lines
        upper = grid[low][:, low] * (1 - part) + grid[low][:, low + 1] * part
        lower = grid[low + 1][:, low] * (1 - part) + grid[low + 1][:, low + 1] * part
        total += weight * (upper * (1 - part[:, None]) + lower * part[:, None])
        cells, weight = cells * 2, weight / 2
    total -= total.min()
    return (total / total.max()).astype(np.float32)


def _fields(rng: np.random.Generator, size: int) -> list[tuple[Corner, ...]]:
    """Plots from splitting a tilted square again and again, narrow paths left between them."""
    reach = size * 0.75
    plots: list[tuple[Corner, ...]] = []
    open_ones = [(-reach, -reach, reach, reach)]
    while open_ones:
        left, top, right, bottom = open_ones.pop()
        width, height = right - left, bottom - top
        if max(width, height) < 72 and (min(width, height) < 40 or rng.random() < 0.35):  # noqa: PLR2004 (pixels)
            plots.append(_tilted((left + 1, top + 1, right - 1, bottom - 1), size / 2))
        elif width > height:
            at = left + width * rng.uniform(0.35, 0.65)
            open_ones += [(left, top, at, bottom), (at, top, right, bottom)]
        else:
            at = top + height * rng.uniform(0.35, 0.65)
            open_ones += [(left, top, right, at), (left, at, right, bottom)]
    return plots


def _tilted(box: tuple[float, float, float, float], centre: float) -> tuple[Corner, ...]:
    left, top, right, bottom = box
    cosine, sine = math.cos(_TILT), math.sin(_TILT)
    return tuple(
        (centre + x * cosine - y * sine, centre + x * sine + y * cosine)
        for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
    )


def _town(rng: np.random.Generator, rows: Array, columns: Array, size: int) -> NDArray[np.bool_]:
    """Houses around a centre beside the river, thinning out, with gardens and squares."""
    distance = np.hypot(columns - size * 0.60, (rows - size * 0.40) * 1.15) / size
    ragged = distance + 0.10 * (_noise(rng, size, 8) - 0.5)
    houses = _noise(rng, size, 64, octaves=1) > (ragged - 0.02) * 3.4
    villages = np.zeros_like(houses)
    for row, column in ((0.82, 0.22), (0.16, 0.16), (0.86, 0.80)):
        away = np.hypot(columns - size * column, rows - size * row) / size
        villages |= (away < 0.032) & (_noise(rng, size, 96, octaves=1) > 0.35)  # noqa: PLR2004
    inside: NDArray[np.bool_] = ((ragged < 0.21) & houses) | villages  # noqa: PLR2004
    return inside


def _river(rng: np.random.Generator, rows: Array, columns: Array, size: int) -> NDArray[np.bool_]:
    """A wide river from west to east with a brook that joins it, and a gravel-pit lake."""
    along = columns / size
    wander = 0.06 * np.sin(along * 6.1 + 0.6) + 0.025 * np.sin(along * 15.0 + 1.9)
    middle = size * (0.555 + wander - 0.10 * along)
    width = 9.5 + 3.0 * (_noise(rng, size, 6)[0] - 0.5)
    river = np.abs(rows - middle) < width
    brook_at = size * (0.33 + 0.05 * np.sin(rows / size * 12) + 0.12 * rows / size)
    brook = (np.abs(columns - brook_at) < 1.6) & (rows < middle)  # noqa: PLR2004 (pixels)
    lake = np.hypot((columns - size * 0.17) / 1.6, rows - size * 0.66) < size * 0.022
    water: NDArray[np.bool_] = river | brook | lake
    return water


def _draw_changes(
    cover: NDArray[np.intp], rows: Array, columns: Array, index: dict[str, int]
) -> None:
    """What is different at the second date."""
    size = len(cover)
    turned = columns * math.cos(_TILT) + rows * math.sin(_TILT)
    across = rows * math.cos(_TILT) - columns * math.sin(_TILT)
    wood = cover == index["forest"]
    cover[wood & (np.abs(turned % 170 - 60) < 24) & (np.abs(across % 190 - 90) < 30)] = index[  # noqa: PLR2004
        "clearing"
    ]
    site = (np.abs(columns - size * 0.80) < 17) & (np.abs(rows - size * 0.315) < 12)  # noqa: PLR2004
    cover[site] = index["building site"]
    plain = np.hypot((columns - size * 0.12) / 1.9, rows - size * 0.545) < size * 0.035
    cover[plain] = index["flood"]


def _whole_parcels(
    fields: list[tuple[Corner, ...]],
    plot: NDArray[np.int32],
    cover: NDArray[np.intp],
    uses: list[int],
) -> list[Parcel]:
    """The fields that lie inside the scene and are what they are meant to be all over."""
    size = len(cover)
    parcels = []
    for number, corners in enumerate(fields):
        if not all(2 < place < size - 2 for corner in corners for place in corner):  # noqa: PLR2004
            continue
        inside = cover[plot == number]
        if len(inside) and np.mean(inside == uses[number]) > 0.985:  # noqa: PLR2004
            parcels.append(Parcel(corners, COVERS[uses[number]], len(inside)))
    return parcels[:_MOST_PARCELS]
