"""The process that measures zones, such as field parcels."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from pywps import ComplexInput, ComplexOutput, Format, LiteralInput, LiteralOutput
from pywps.validator.mode import MODE

from portal.demo import algorithms, rasters
from portal.demo.descriptions import choice, given
from portal.demo.geojson import GEOJSON, compact, features_of
from portal.demo.grid import BANDS, DATES, EPSG
from portal.demo.job import DemoProcess, Site, failed

CSV = Format("text/csv", extension=".csv")


def zonal_statistics(site: Site) -> DemoProcess:
    def work(request: Any, response: Any) -> None:
        zones = features_of(request.inputs["zones"][0], kinds=("Polygon", "MultiPolygon"))
        layer, date = given(request, "layer"), given(request, "date")
        wanted = list(dict.fromkeys(value.data for value in request.inputs["statistics"]))
        cut = rasters.cut(site.scene.raster(date), (-180, -80, 180, 84))
        if cut is None:  # the whole scene is never empty
            raise failed("There is no data.")
        values = cut.bands[layer] if layer in cut.bands else algorithms.index(cut.bands, layer)
        response.update_status(f"Measuring {layer} in {len(zones)} zones", 40)
        found = algorithms.zone_statistics(zones, values, cut.transform, f"EPSG:{EPSG}", wanted)
        if not any(statistic is not None for row in found for statistic in row.values()):
            raise failed("None of the zones lies in the scene.")
        for zone, row in zip(zones, found, strict=True):
            named = {f"{layer}_{name}": value for name, value in row.items()}
            zone["properties"] = {**(zone.get("properties") or {}), **named}
        response.outputs["result"].data = compact(zones)
        table = Path(response.outputs["table"].workdir) / "table.csv"
        _write_table(table, [zone["properties"] for zone in zones])
        response.outputs["table"].file = str(table)
        response.outputs["zones"].data = len(zones)

    statistics = LiteralInput(
        "statistics",
        "Statistics",
        data_type="string",
        allowed_values=list(algorithms.STATISTICS),
        default="mean",
        min_occurs=0,
        max_occurs=len(algorithms.STATISTICS),
        abstract="What is computed for each zone; several may be chosen.",
    )
    return DemoProcess(
        site,
        work,
        "zonal-statistics",
        title="Statistics of zones",
        abstract=(
            "Measures a band or an index of the scene in polygons, such as parcels: a GeoJSON "
            "file with the statistics of every polygon, and a table."
        ),
        keywords=("zonal statistics", "parcels"),
        inputs=[
            ComplexInput(
                "zones",
                "Zones",
                supported_formats=[GEOJSON],
                mode=MODE.NONE,
                abstract="Polygons in GeoJSON, longitude first; a file or its address.",
            ),
            choice(
                "layer",
                "Band or index",
                (*algorithms.INDICES, *BANDS),
                "NDVI",
                "Indices from −1 to 1; bands as reflectance from 0 to 1.",
            ),
            choice("date", "Date", DATES, DATES[-1], "The date of the picture."),
            statistics,
        ],
        outputs=[
            ComplexOutput("result", "Zones with statistics", supported_formats=[GEOJSON]),
            ComplexOutput("table", "Table", supported_formats=[CSV], as_reference=True),
            LiteralOutput("zones", "Number of zones", data_type="integer"),
        ],
    )


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()}
            )
