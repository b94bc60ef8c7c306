"""A job's record as a STAC item and as the offering that runs it again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogue_client import geometry as geo
from catalogue_client.offerings import of_processes
from catalogue_client.owc import offering_object
from catalogue_client.records import RasterInfo, ResultOutput, ResultRecord
from catalogue_client.stac import extension, instant_text

PROCESSING = extension("processing", "1.2.0")
FILE = extension("file", "2.1.0")
PROJECTION = extension("projection", "2.0.0")
ORDER = extension("order", "1.1.0")
OSDD = "application/opensearchdescription+xml"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
WORLD: geo.Box = (-180.0, -90.0, 180.0, 90.0)
# A longer Execute document stands in the OWS Context document alone, not in every search answer.
LONGEST_EXPRESSION = 20_000
_DATA_TYPES = frozenset(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)) | {
    "float16",
    "float32",
    "float64",
}


def item_id(record: ResultRecord) -> str:
    """The identifier of a job's item in its collection."""
    return f"job-{record.job_id}"


def item_document(record: ResultRecord) -> dict[str, Any]:
    """The STAC document of a job's result, with the portal's addresses as they were given."""
    shape, box, approximate = _place(record)
    assets = _assets(record)
    properties = _properties(record)
    if approximate:
        properties["tep:footprint"] = "approximate"
    projected = any(key.startswith("proj:") for asset in assets.values() for key in asset)
    links = [{"rel": "derived_from", "href": href} for href in record.derived_from]
    links += [{"rel": "via", **link} for link in _origins(record)]
    if record.job_href:
        job = {"href": record.job_href, "type": "text/html", "title": record.title}
        links += [{"rel": "processing-execution", **job}, {"rel": "alternate", **job}]
    links += [
        {"rel": "search", "href": output.href, "type": OSDD, "title": output.title}
        for output in record.outputs
        if output.role == "search"
    ]
    return {
        "id": item_id(record),
        "stac_extensions": [
            *(PROCESSING, FILE),
            *([PROJECTION] if projected else []),
            *([ORDER] if record.ordered_at else []),
        ],
        "geometry": shape,
        "bbox": list(box),
        "properties": properties,
        "links": links,
        "assets": assets,
    }


def _origins(record: ResultRecord) -> Iterator[dict[str, str]]:
    """What the record was made from: the job, the service's description, catalogues of sources."""
    if record.job_href:
        job = f"/owc/jobs/{record.job_id}.geojson"
        yield {"href": job, "type": "application/geo+json", "title": "Job, OWS Context"}
    described = of_processes(record.wps_href, record.process).operation("DescribeProcess")
    if described:
        title = record.process_title or record.process
        yield {"href": described.href, "type": described.type, "title": title}
    for href in record.source_catalogues:
        yield {"href": href, "type": "application/json"}


def offerings(record: ResultRecord) -> list[dict[str, Any]]:
    """How to run the job again: the portal's WPS with the original Execute request."""
    offered = of_processes(record.wps_href, record.process, record.execute_request)
    return [offering_object(offered)]


def _place(record: ResultRecord) -> tuple[dict[str, Any], geo.Box, bool]:
    """Geometry, box, and whether they only say where the result was looked for."""
    rasters = [o.raster for o in record.outputs if o.raster]
    boxes = [o.bbox for o in record.outputs if o.bbox] + [r.bbox for r in rasters]
    known = geo.union(geo.checked_box(box) for box in boxes)
    if known and len(rasters) == 1 and tuple(rasters[0].bbox) == known:
        return geo.checked(rasters[0].footprint), known, False
    outlines = [o.geometry for o in record.outputs if o.geometry]
    if outlines and not rasters and all(one == outlines[0] for one in outlines):
        shape = geo.checked(outlines[0])
        return shape, geo.box_of(shape) or WORLD, False
    if known:
        return geo.polygon(known), known, False
    if record.geometry is not None:
        shape = geo.checked(record.geometry)
        return shape, geo.box_of(shape) or WORLD, True
    box = record.bbox or WORLD
    return geo.polygon(box), box, True


def _properties(record: ResultRecord) -> dict[str, Any]:
    start = record.start or record.end or record.finished_at
    end = record.end or start
    provider = {"name": record.provider or "TEP Portal", "roles": ["processor"]}
    values = {o.identifier: o.value for o in record.outputs if o.value}
    wanted: dict[str, Any] = {
        "title": record.title,
        "description": record.description,
        "providers": [provider, {"name": "TEP Portal", "roles": ["host"]}],
        "processing:facility": record.provider,
        "processing:datetime": instant_text(record.finished_at),
        "processing:version": record.process_version,
        "processing:software": {record.process: record.process_version}
        if record.process_version
        else {},
        "processing:lineage": f"Result of the process {record.process_title or record.process}",
        "processing:expression": _expression(record),
        "order:status": "succeeded" if record.ordered_at else "",
        "order:id": str(record.job_id) if record.ordered_at else "",
        "order:date": instant_text(record.ordered_at) if record.ordered_at else "",
        "tep:job": str(record.job_id),
        "tep:process": record.process,
        "tep:app": record.application,
        "tep:values": values,
    }
    times = {"datetime": instant_text(start)}
    if end != start:
        times = {"start_datetime": instant_text(start), "end_datetime": instant_text(end)}
    return {key: value for key, value in wanted.items() if value} | times


def _expression(record: ResultRecord) -> dict[str, str] | None:
    if not record.execute_request or len(record.execute_request) > LONGEST_EXPRESSION:
        return None
    return {"format": "wps-execute", "expression": record.execute_request}


def _assets(record: ResultRecord) -> dict[str, Any]:
    assets: dict[str, Any] = {}
    for output in record.outputs:
        if not output.href:
            continue
        key = _free_key(output.identifier, assets)
        assets[key] = _asset(output)
        if output.preview_href:
            first = "thumbnail" not in assets
            assets["thumbnail" if first else _free_key(f"{key}-preview", assets)] = {
                "href": output.preview_href,
                "type": "image/png",
                "title": output.title or output.identifier,
                "roles": ["thumbnail"] if first else ["overview"],
                "tep:of": key,
            }
    return assets


def _free_key(identifier: str, taken: dict[str, Any]) -> str:
    """The identifier as an asset key, which may repeat among outputs but not among assets."""
    key, number = identifier, 2
    while key in taken or key == "thumbnail":
        key, number = f"{identifier}-{number}", number + 1
    return key


def _asset(output: ResultOutput) -> dict[str, Any]:
    asset: dict[str, Any] = {
        "href": output.href,
        "title": output.title or output.identifier,
        "roles": [output.role if output.role in ("thumbnail", "metadata") else "data"],
        "tep:output": output.identifier,
    }
    if output.media_type:
        asset["type"] = output.media_type
    if output.size is not None:
        asset["file:size"] = output.size
    if output.sha256:
        asset["file:checksum"] = f"1220{output.sha256.lower()}"  # multihash: sha2-256, 32 bytes
    if output.value:
        asset["description"] = output.value
    if output.bbox:
        asset["tep:bbox"] = list(output.bbox)
    if output.raster:
        asset |= _grid(output.raster)
    return asset


def _grid(raster: RasterInfo) -> dict[str, Any]:
    code = (
        {"proj:code": raster.crs} if raster.crs.startswith("EPSG:") else {"proj:wkt2": raster.crs}
    )
    grid: dict[str, Any] = {
        **code,
        "proj:shape": [raster.height, raster.width],
        "proj:transform": list(raster.transform),
        "data_type": raster.dtype if raster.dtype in _DATA_TYPES else "other",
        "tep:bbox": list(raster.bbox),
    }
    if raster.nodata is not None:
        grid["nodata"] = raster.nodata
    if raster.cloud_optimised:
        grid["type"] = COG
    return grid
