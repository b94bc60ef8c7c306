"""A picture of a raster, over its box in longitude and latitude."""

from __future__ import annotations

import numpy as np
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.io import DatasetReader, MemoryFile
from rasterio.transform import Affine, from_bounds
from rasterio.warp import reproject

from catalogue_client.raster_child.place import LONLAT, place
from catalogue_client.raster_child.refusal import RefusalError

MOST_PIXELS = 400_000_000  # read for one picture, over all bands
LARGEST_BLOCK = 128 * 2**20  # bytes that the library must hold to decode one block
# From low to high values: dark blue, teal, green, yellow. Equally bright steps, also in grey.
RAMP = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
# Around zero: brown, sand, white, light green, green.
DIVERGING = ((140, 81, 10), (223, 194, 125), (245, 245, 245), (128, 193, 110), (0, 104, 55))


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
    stops, steps = np.linspace(0, 1, len(anchors)), np.linspace(0, 1, 256)
    # 256 colours, looked up: faster than computing each pixel's.
    channels = [np.interp(steps, stops, [a[i] for a in anchors]) for i in range(3)]
    index = (position * 255).round().astype("uint8")
    return np.stack([channel.round().astype("uint8")[index] for channel in channels])


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
        size = {"width": width, "height": height, "count": 4, "dtype": "uint8"}
        # Packing harder takes a third more of the time for a hundredth of the size.
        with memory.open(driver="PNG", ZLEVEL=1, **size) as file:
            file.write(picture)
        return bytes(memory.getbuffer())
