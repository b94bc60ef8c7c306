"""The demo's scene: two dates of five bands over a made-up river town, the same at every start.

Reflectances are typical of the land cover: water, town, forest, meadows and fields with their own
calendar, under smooth noise. Between the dates crops grow and are harvested, a wood is cleared, a
meadow is flooded and a field becomes a building site: changes to be found.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform_geom

from portal.demo.grid import (
    BANDS,
    DATES,
    EPSG,
    NO_DATA,
    ORIGIN,
    PIXEL,
    SCALE,
    SIZE,
    TRANSFORM,
    WAVELENGTHS,
)
from portal.demo.landscape import Landscape, Parcel, landscape
from portal.demo.rasters import write_true_colour

SEED = 20_260_412
PUBLIC = "/static/demo-scene/"  # where the portal serves the files

Array = NDArray[np.float32]

# Reflectance of each band by land cover and date.
SPECTRA: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "water": ((0.060, 0.055, 0.040, 0.025, 0.012), (0.055, 0.058, 0.042, 0.028, 0.012)),
    "town": ((0.125, 0.140, 0.155, 0.205, 0.225), (0.130, 0.145, 0.162, 0.215, 0.238)),
    "forest": ((0.028, 0.044, 0.034, 0.245, 0.128), (0.026, 0.046, 0.029, 0.325, 0.142)),
    "meadow": ((0.040, 0.070, 0.052, 0.300, 0.190), (0.042, 0.076, 0.056, 0.330, 0.205)),
    "winter wheat": ((0.032, 0.062, 0.042, 0.365, 0.175), (0.082, 0.118, 0.158, 0.255, 0.305)),
    "rapeseed": ((0.048, 0.102, 0.082, 0.395, 0.185), (0.078, 0.108, 0.142, 0.232, 0.288)),
    "maize": ((0.082, 0.105, 0.138, 0.192, 0.285), (0.026, 0.056, 0.030, 0.445, 0.165)),
    "sugar beet": ((0.086, 0.108, 0.142, 0.198, 0.292), (0.030, 0.066, 0.034, 0.470, 0.185)),
    "fallow": ((0.070, 0.094, 0.112, 0.215, 0.255), (0.066, 0.092, 0.106, 0.232, 0.262)),
    "clearing": ((0.028, 0.044, 0.034, 0.245, 0.128), (0.074, 0.096, 0.124, 0.178, 0.252)),
    "flood": ((0.040, 0.070, 0.052, 0.300, 0.190), (0.066, 0.070, 0.058, 0.046, 0.024)),
    "building site": ((0.066, 0.090, 0.102, 0.225, 0.250), (0.168, 0.192, 0.215, 0.255, 0.305)),
}


@dataclass(frozen=True, slots=True)
class SceneInfo:
    """Where the files of the scene are, and what a catalogue says of them.

    `bbox`: west, south, east, north in degrees; `start` and `end`: RFC 3339; `items`: one STAC
    item per date, whose files the portal serves under its static address.
    """

    folder: Path
    bbox: tuple[float, float, float, float]
    start: str
    end: str
    items: tuple[dict[str, Any], ...]

    def raster(self, date: str) -> Path:
        return self.folder / f"{date}.tif"


def ensure_scene(folder: Path) -> SceneInfo:
    """The scene in that folder, made when it is not there yet; complete or not at all."""
    if not (folder / "scene.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".scene-", dir=folder.parent))
        _make(made)
        shutil.rmtree(folder, ignore_errors=True)
        made.chmod(0o755)
        made.replace(folder)
    items = tuple(json.loads((folder / "scene.json").read_text()))
    west, south, east, north = items[-1]["bbox"]
    times = [item["properties"]["datetime"] for item in items]
    return SceneInfo(folder, (west, south, east, north), times[0], times[-1], items)


def _make(folder: Path) -> None:
    land = landscape(SIZE, SEED)
    items = []
    for number, date in enumerate(DATES):
        _write(folder / f"{date}.tif", reflectances(land, number), date)
        box = write_true_colour(folder / f"{date}.tif", folder / f"{date}.png")
        items.append(_item(date, box))
    (folder / "parcels.geojson").write_text(json.dumps(_parcels(land.parcels)))
    (folder / "scene.json").write_text(json.dumps(items, indent=1))


def reflectances(land: Landscape, date: int) -> Array:
    """Five bands of reflectance at a date (0 or 1), with texture, relief and sensor noise."""
    rng = np.random.default_rng(SEED + 1 + date)
    spectra = np.array([SPECTRA[name][date] for name in land.names], dtype=np.float32)
    bands = np.moveaxis(spectra[land.cover], -1, 0)
    # Vigour differs from field to field and within one; more in the near infrared than in blue.
    weight = np.array([0.4, 0.6, -0.5, 1.0, 0.3], dtype=np.float32)[:, None, None]
    bands = bands * (1 + weight * (land.vigour + land.texture))
    bands = bands * (0.93 + 0.14 * land.relief)
    noise = rng.normal(0, 0.0018, bands.shape).astype(np.float32)
    return np.clip(bands + noise, 0.0005, 0.95).astype(np.float32)


def _write(path: Path, bands: Array, date: str) -> None:
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "width": SIZE,
        "height": SIZE,
        "count": len(BANDS),
        "dtype": "uint16",
        "crs": CRS.from_epsg(EPSG),
        "transform": TRANSFORM,
        "nodata": NO_DATA,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": "deflate",
        "predictor": 2,
    }
    with rasterio.open(path, "w", **profile) as raster:
        raster.write(np.rint(bands * SCALE).astype(np.uint16))
        raster.update_tags(TIFFTAG_DATETIME=f"{date.replace('-', ':')} 10:07:00")
        raster.scales = (1 / SCALE,) * len(BANDS)
        for index, (name, micrometres) in enumerate(zip(BANDS, WAVELENGTHS, strict=True), 1):
            raster.set_band_description(index, name)
            raster.update_tags(index, WAVELENGTH=f"{micrometres} um")


def _parcels(parcels: list[Parcel]) -> dict[str, Any]:
    """Fields and other plots as GeoJSON, longitude first."""
    features = []
    for number, parcel in enumerate(parcels, 1):
        ring = [TRANSFORM @ corner for corner in (*parcel.corners, parcel.corners[0])]
        shape = {"type": "Polygon", "coordinates": [ring]}
        features.append(
            {
                "type": "Feature",
                "id": number,
                "properties": {
                    "parcel": f"P{number:03d}",
                    "land_use": parcel.use,
                    "area_ha": round(parcel.pixels * PIXEL**2 / 10_000, 2),
                },
                "geometry": transform_geom(f"EPSG:{EPSG}", "EPSG:4326", shape, precision=6),
            }
        )
    return {"type": "FeatureCollection", "features": features}


def _item(date: str, picture: tuple[float, float, float, float]) -> dict[str, Any]:
    """A date of the scene as a STAC item; its box is the one of the picture."""
    west, north = ORIGIN
    ring = [TRANSFORM @ c for c in ((0, 0), (0, SIZE), (SIZE, SIZE), (SIZE, 0), (0, 0))]
    outline = {"type": "Polygon", "coordinates": [ring]}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [
            "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
            "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
        ],
        "id": f"danube-valley-{date}",
        "bbox": [round(edge, 6) for edge in picture],
        "geometry": transform_geom(f"EPSG:{EPSG}", "EPSG:4326", outline, precision=6),
        "properties": {
            "title": f"Danube valley, {date}",
            "description": (
                "A made-up river town with its fields, meadows and woods in five spectral bands "
                "at 10 m. The reflectances are believable, the place does not exist."
            ),
            "datetime": f"{date}T10:07:00Z",
            "platform": "synthetic",
            "gsd": PIXEL,
            "license": "CC0-1.0",
            "proj:code": f"EPSG:{EPSG}",
            "proj:shape": [SIZE, SIZE],
            "proj:bbox": [west, north - SIZE * PIXEL, west + SIZE * PIXEL, north],
            "eo:cloud_cover": 0,
        },
        "assets": {
            "bands": {
                "href": f"{PUBLIC}{date}.tif",
                "type": "image/tiff; application=geotiff",
                "roles": ["data", "reflectance"],
                "title": "Five bands (GeoTIFF, reflectance × 10,000)",
            },
            "parcels": {
                "href": f"{PUBLIC}parcels.geojson",
                "type": "application/geo+json",
                "roles": ["data"],
                "title": "Parcels with their land use (GeoJSON)",
            },
            "thumbnail": {
                "href": f"{PUBLIC}{date}.png",
                "type": "image/png",
                "roles": ["thumbnail", "overview"],
                "title": "Natural colours",
            },
        },
        "links": [],
    }
