"""The grid, bands and dates of the demo's scene."""

from __future__ import annotations

from rasterio.transform import from_origin

SIZE = 512  # pixels
PIXEL = 10.0  # metres
EPSG = 32633
ORIGIN = (444_800.0, 5_352_400.0)  # west and north edge, metres: the Danube valley
TRANSFORM = from_origin(*ORIGIN, PIXEL, PIXEL)
DATES = ("2026-04-12", "2026-07-21")
BANDS = ("blue", "green", "red", "nir", "swir")
WAVELENGTHS = (0.490, 0.560, 0.665, 0.842, 1.610)  # centre, micrometres
SCALE = 10_000  # stored value of reflectance 1
NO_DATA = 0
