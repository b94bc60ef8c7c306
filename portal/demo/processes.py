"""The processes over the scene: spectral index, and change between its dates."""

from __future__ import annotations

import math
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from portal.demo import algorithms, rasters
from portal.demo.descriptions import (
    CRS84,
    box,
    choice,
    footprint,
    given,
    number,
    picture,
    smallest,
    value,
)
from portal.demo.grid import DATES
from portal.demo.job import DemoProcess, Site, failed

STRIPS = 20
QUALITY = {"fast": 0, "standard": 1, "thorough": 4}  # smoothing passes
CLASSES = {algorithms.UNCHANGED: (236, 232, 222), algorithms.GAIN: (38, 132, 76)}
CLASSES |= {algorithms.LOSS: (196, 74, 44)}
# What the picture of an index spans.
SPANS = {"NDVI": (-0.2, 0.9), "NDWI": (-0.8, 0.6), "NDBI": (-0.6, 0.4)}


# --- spectral index ------------------------------------------------------------------------


def spectral_index(site: Site) -> DemoProcess:
    def work(request: Any, response: Any) -> None:
        name, date = given(request, "index"), given(request, "date")
        cut = _cut(site, request, date)
        response.update_status(f"Computing {name} of {date}", 30)
        values = algorithms.index(cut.bands, name)
        limit = float(given(request, "threshold"))
        mask = algorithms.above(values, limit, _smallest_pixels(request))
        if not np.isfinite(values).any():
            raise failed("There is no data in this box.")
        response.update_status("Writing the GeoTIFF and the quicklook", 70)
        result, quicklook = _files(response)
        stored = np.where(np.isfinite(values), values, rasters.MISSING).astype(np.float32)
        rasters.write_cog(
            result, stored, cut.transform, nodata=rasters.MISSING, description=f"{name} {date}"
        )
        edges = rasters.write_ramp(quicklook, values, cut.transform, name, *SPANS[name])
        share = mask.sum() / np.isfinite(values).sum()
        response.outputs["mean"].data = round(float(np.nanmean(values, dtype=np.float64)), 6)
        response.outputs["area"].data = round(mask.sum() * rasters.pixel_hectares() / 100, 6)
        response.outputs["share"].data = round(100 * float(share), 3)
        _hand_over(response, result, quicklook, edges)

    return DemoProcess(
        site,
        work,
        "ndvi",
        title="Vegetation, water and built-up index",
        abstract=(
            "Computes a normalised difference index of the scene in a box: NDVI (vegetation), NDWI "
            "(open water) or NDBI (built-up land), and how much of the box lies above a threshold."
        ),
        keywords=("index", "vegetation", "water", "built-up"),
        inputs=[
            box(),
            choice("date", "Date", DATES, DATES[-1], "The date of the picture."),
            choice(
                "index",
                "Index",
                algorithms.INDICES,
                "NDVI",
                "NDVI: near infrared and red. NDWI: green and near infrared. NDBI: short-wave and "
                "near infrared.",
            ),
            number("threshold", "Threshold", 0.4, -1, 1, "Where the index is above, it counts."),
            smallest(),
        ],
        outputs=[
            *picture(),
            value("mean", "Mean index", "", "Over all pixels of the box."),
            value("area", "Area above the threshold", "km2", "Patches that are large enough."),
            value("share", "Share above the threshold", "%", "Of the pixels with data."),
            footprint(),
        ],
    )


# --- change --------------------------------------------------------------------------------


def change_between_dates(site: Site) -> DemoProcess:
    def work(request: Any, response: Any) -> None:
        name = given(request, "index")
        limit, passes = float(given(request, "threshold")), QUALITY[given(request, "quality")]
        pause = float(given(request, "pause"))
        response.update_status("Reading both dates", 2)
        first, second = (_cut(site, request, date) for date in DATES)
        before, after = (algorithms.index(cut.bands, name) for cut in (first, second))
        before, after = _compare(response, before, after, passes, pause)
        classes = algorithms.change(before, after, limit, _smallest_pixels(request))
        response.update_status("Writing the GeoTIFF and the quicklook", 92)
        result, quicklook = _files(response)
        rasters.write_cog(
            result,
            classes,
            first.transform,
            nodata=algorithms.OUTSIDE,
            description=f"Change of {name}: 1 gain, 2 loss",
            colours=CLASSES,
        )
        shown = np.where(classes == algorithms.OUTSIDE, algorithms.UNCHANGED, classes)
        hidden = algorithms.UNCHANGED
        edges = rasters.write_classes(quicklook, shown, first.transform, CLASSES, hidden)
        for output, kind in (("gain", algorithms.GAIN), ("loss", algorithms.LOSS)):
            pixels = int((classes == kind).sum())
            response.outputs[output].data = round(pixels * rasters.pixel_hectares() / 100, 6)
        _hand_over(response, result, quicklook, edges)

    return DemoProcess(
        site,
        work,
        "change",
        title="Change between spring and summer",
        abstract=(
            "Compares an index of the two dates of the scene in a box and maps where it has grown "
            "and where it has fallen. Runs for some seconds and says how far it is."
        ),
        keywords=("change detection", "time series"),
        inputs=[
            box(),
            choice("index", "Index", algorithms.INDICES, "NDVI", "What is compared."),
            number("threshold", "Threshold", 0.2, 0, 2, "Differences above it are changes."),
            smallest(),
            choice(
                "quality",
                "Quality",
                QUALITY,
                "standard",
                "How much the pictures are smoothed before they are compared.",
            ),
            number(
                "pause",
                "Time to wait",
                4,
                0,
                300,
                "Seconds that this small scene is made to last longer, as a large one would.",
                units=("s",),
            ),
        ],
        outputs=[
            *picture(),
            value("gain", "Area of gain", "km2", "Where the index has grown."),
            value("loss", "Area of loss", "km2", "Where the index has fallen."),
            footprint(),
        ],
        expected=_expected_of_change,
    )


def _expected_of_change(request: Any) -> dict[str, int]:
    """At most: begun on a cold disk, smoothed over the whole scene."""
    passes, pause = QUALITY[given(request, "quality")], float(given(request, "pause"))
    cpu = 8000 + 1000 * passes
    return {"CPU_MILLISECONDS": cpu, "VM_MILLISECONDS": cpu + round(1000 * pause) + 4000}


def _compare(
    response: Any,
    before: NDArray[np.float32],
    after: NDArray[np.float32],
    passes: int,
    pause: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smooth both, strip by strip, saying how far it is; strips overlap by what smoothing needs."""
    results = np.empty_like(before), np.empty_like(after)
    edges = np.linspace(0, len(before), STRIPS + 1).astype(int)
    for done, (top, bottom) in enumerate(pairwise(edges), 1):
        over = max(0, top - passes)
        for source, result in zip((before, after), results, strict=True):
            strip = algorithms.smoothed(source[over : bottom + passes], passes)
            result[top:bottom] = strip[top - over : top - over + bottom - top]
        time.sleep(pause / STRIPS)
        percent = 5 + round(85 * done / STRIPS)
        response.update_status(f"Compared {done} of {STRIPS} strips", percent)
    return results


# --- what several need ---------------------------------------------------------------------


def _cut(site: Site, request: Any, date: str) -> rasters.Cut:
    """The part of a date in the request's box. PyWPS gives corners longitude first in any CRS."""
    west, south, east, north = map(float, request.inputs["bbox"][0].data)
    if not (math.isfinite(west + south + east + north) and west < east and south < north):
        raise failed("The box has no area.")
    cut = None
    if max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90:  # noqa: PLR2004
        cut = rasters.cut(site.scene.raster(date), (west, south, east, north))
    if cut is None:
        raise failed("The box does not touch the scene.")
    return cut


def _smallest_pixels(request: Any) -> int:
    given = request.inputs["minimum-area"][0]
    unit = getattr(given.uom, "uom", None) or given.uom
    hectares = float(given.data) / (10_000 if unit == "m2" else 1)
    return math.ceil(hectares / rasters.pixel_hectares())


def _files(response: Any) -> tuple[Path, Path]:
    """Where the two pictures are to be written."""
    folder = Path(response.outputs["result"].workdir)
    return folder / "result.tif", folder / "quicklook.png"


def _hand_over(response: Any, result: Path, quicklook: Path, edges: rasters.Box) -> None:
    """Tell PyWPS of written files, last of all: it stores them again at every status update."""
    response.outputs["result"].file = str(result)
    response.outputs["quicklook"].file = str(quicklook)
    footprint_output = response.outputs["footprint"]
    footprint_output.crs = CRS84
    footprint_output.data = [round(edge, 6) for edge in edges]
