"""What a finished job hands to the catalogue: one record, in no protocol's words.

Addresses (`href`) are the portal's: absolute, or paths that begin with "/"; they are completed with
the portal's own address when a document is written. A provider's address never belongs here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from catalogue_client.geometry import Box


@dataclass(frozen=True, slots=True)
class RasterInfo:
    """What `raster.describe` found in a file.

    `bbox` is west, south, east, north in degrees; west > east crosses the antimeridian. `footprint`
    is the outline of the grid as a GeoJSON geometry. `crs` is an authority code ("EPSG:32633") or
    WKT; `transform` six numbers (affine, row by row); `nodata` may be "nan", "inf", "-inf".
    """

    bbox: Box
    footprint: Mapping[str, Any]
    crs: str
    width: int
    height: int
    bands: int
    dtype: str
    nodata: float | str | None
    transform: tuple[float, ...]
    cloud_optimised: bool
    driver: str = "GTiff"


@dataclass(frozen=True, slots=True)
class ResultOutput:
    """One output of a job.

    `kind` is literal, bbox, complex or reference. `value` is the text of a literal or a box. `size`
    is in bytes, `sha256` hexadecimal; `bbox` and `geometry` where this output lies, when that is
    known. `role`: thumbnail, metadata, search (it describes one), or "" for data.
    """

    identifier: str
    title: str = ""
    kind: str = "complex"
    media_type: str = ""
    href: str = ""
    size: int | None = None
    sha256: str = ""
    preview_href: str = ""
    value: str = ""
    bbox: Box | None = None
    geometry: Mapping[str, Any] | None = None
    raster: RasterInfo | None = None
    role: str = ""


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """A finished job as the catalogue sees it.

    `process` is the public identifier at the portal's WPS, `execute_request` the Execute document
    with that identifier, which anybody entitled can send to the portal to run it again. Without
    `derived_from` are the products it was made from, `source_catalogues` the collections that have
    these; `ordered_at` when the user asked for it. Without
    `start` and `end` the result is dated by `finished_at`; without `bbox` and `geometry` its place
    is the union of its outputs' places. `visibility` "": as it is, the owner's alone at first.
    """

    job_id: UUID
    title: str
    process: str
    owner_id: int
    finished_at: datetime
    outputs: tuple[ResultOutput, ...] = ()
    process_title: str = ""
    process_version: str = ""
    provider: str = ""
    application: str = ""
    application_title: str = ""
    description: str = ""
    bbox: Box | None = None
    geometry: Mapping[str, Any] | None = None
    start: datetime | None = None
    end: datetime | None = None
    execute_request: str = ""
    wps_href: str = "/wps"
    job_href: str = ""
    ordered_at: datetime | None = None
    derived_from: tuple[str, ...] = ()
    source_catalogues: tuple[str, ...] = ()
    visibility: str = ""
    group_id: int | None = None
