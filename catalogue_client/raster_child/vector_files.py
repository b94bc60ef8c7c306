"""Reads the shapes of GeoJSON, KML, KMZ, GML, GeoPackage and zipped shapefiles."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from catalogue_client.raster_child import vector_xml
from catalogue_client.raster_child.refusal import RefusalError
from catalogue_client.raster_child.shapes import (
    LINE,
    LONLAT,
    POINT,
    POLYGON,
    Shapes,
    reference_system,
)

MOST_BYTES = 64 * 2**20  # of one file, unpacked
MOST_MEMBERS = 2000
ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}  # bytes, by the code in a GeoPackage blob
DEEPEST = 8  # collections within collections


def read(kind: str, path: str) -> Shapes:
    """The shapes in a file that begins like `kind`: json, xml, zip or sqlite."""
    shapes = Shapes()
    if kind == "sqlite":
        _geopackage(path, shapes)
    elif kind == "zip":
        _zip(path, shapes)
    else:
        with Path(path).open("rb") as file:
            _whole(kind, _bounded(file), shapes)
    return shapes


def _whole(kind: str, data: bytes, shapes: Shapes) -> None:
    if kind == "json":
        _json(json.loads(data), shapes)
    else:
        vector_xml.read(data, shapes)


def _bounded(file: Any) -> bytes:
    data: bytes = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise RefusalError("too_large", "the file is too large")
    return data


# --- GeoJSON -------------------------------------------------------------------------------


def _json(document: Any, shapes: Shapes) -> None:
    for geometry in _geometries(document, 0):
        kind, place = str(geometry.get("type")), geometry.get("coordinates") or ()
        for member in place if kind.startswith("Multi") else [place]:
            if kind.endswith("Polygon"):
                shapes.add(POLYGON, member)
            else:
                shapes.add(LINE if kind.endswith("LineString") else POINT, [member])


def _geometries(document: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Every geometry with coordinates in a feature collection, feature or geometry."""
    if not isinstance(document, dict) or depth > DEEPEST:
        return
    if "coordinates" in document:
        yield document
        return
    inside = [*(document.get("features") or ()), *(document.get("geometries") or ())]
    for member in (*inside, document.get("geometry")):
        yield from _geometries(member, depth + 1)


# --- GeoPackage (OGC 12-128r18) ------------------------------------------------------------


def _geopackage(path: str, shapes: Shapes) -> None:
    """Tables alone: a view could compute for ever."""
    with closing(sqlite3.connect(f"{Path(path).as_uri()}?mode=ro&immutable=1", uri=True)) as base:
        base.execute("PRAGMA trusted_schema = OFF")
        layers = base.execute(
            "SELECT g.table_name, g.column_name, lower(s.organization),"
            " s.organization_coordsys_id, s.definition"
            " FROM gpkg_geometry_columns g"
            " JOIN sqlite_master m ON m.type = 'table' AND lower(m.name) = lower(g.table_name)"
            " LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id"
        ).fetchall()
        for table, column, organisation, code, definition in layers:
            crs = _crs_of(organisation, code, definition)
            named = [str(name).replace('"', '""') for name in (column, table)]
            for (blob,) in base.execute('SELECT "{}" FROM "{}"'.format(*named)):  # noqa: S608
                if isinstance(blob, bytes):
                    _blob(blob, shapes, crs)


def _crs_of(organisation: str | None, code: Any, definition: Any) -> str:
    if organisation == "epsg":
        return reference_system(f"EPSG:{int(code)}")[0]
    if not definition or str(definition).lower() == "undefined":
        return LONLAT
    return reference_system(str(definition))[0]


def _blob(blob: bytes, shapes: Shapes, crs: str) -> None:
    if blob[:2] != b"GP":
        raise RefusalError("damaged", "a geometry is none")
    geometry = shapely.from_wkb(blob[8 + ENVELOPES[(blob[3] >> 1) & 7] :])
    for part in _simple(geometry):
        if part.geom_type == "Polygon":
            rings = [part.exterior, *part.interiors]
            shapes.add(POLYGON, [shapely.get_coordinates(ring) for ring in rings], crs)
        else:
            kind = POINT if part.geom_type == "Point" else LINE
            shapes.add(kind, [shapely.get_coordinates(part)], crs)


def _simple(geometry: Any) -> Iterator[Any]:
    if geometry is None or geometry.is_empty:
        return
    for part in getattr(geometry, "geoms", [geometry]):
        if hasattr(part, "geoms"):
            yield from _simple(part)
        else:
            yield part


# --- archives ------------------------------------------------------------------------------


def _zip(path: str, shapes: Shapes) -> None:
    """KMZ, a zipped shapefile, or GeoJSON and KML in an archive."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(names) > MOST_MEMBERS:
            raise RefusalError("too_large", "too many files in it")
        for name in names:
            ending = Path(name).suffix.lower()
            if ending in (".kml", ".gml"):
                _whole("xml", _member(archive, name), shapes)
            elif ending in (".geojson", ".json"):
                _whole("json", _member(archive, name), shapes)
            elif ending == ".shp":
                side = f"{name[:-4]}.prj".lower()
                projection = next((one for one in names if one.lower() == side), "")
                if not projection:
                    raise RefusalError("not_placed", "a shapefile without .prj")
                text = _member(archive, projection).decode("utf-8", "replace").strip()
                _shapefile(_member(archive, name), shapes, reference_system(text)[0])


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return _bounded(file)


def _shapefile(data: bytes, shapes: Shapes, crs: str) -> None:
    """The records of an ESRI shapefile (white paper of July 1998); heights and measures are left
    out."""
    place = 100
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">i", data, place + 4)
        (kind,) = struct.unpack_from("<i", data, place + 8)
        body, place = place + 12, place + 8 + 2 * length
        if length < 2:
            raise RefusalError("damaged", "a record without an end")
        if kind % 10 == 1:
            shapes.add(POINT, [struct.unpack_from("<2d", data, body)], crs)
        elif kind % 10 == 8:
            (count,) = struct.unpack_from("<i", data, body + 32)
            for position in _positions(data, body + 36, count):
                shapes.add(POINT, [position], crs)
        elif kind % 10 in (3, 5):
            _poly(data, body, shapes, POLYGON if kind % 10 == 5 else LINE, crs)


def _poly(data: bytes, body: int, shapes: Shapes, kind: str, crs: str) -> None:
    count, points = struct.unpack_from("<2i", data, body + 32)
    starts = np.frombuffer(data, "<i4", count, body + 40)
    positions = _positions(data, body + 40 + 4 * count, points)
    parts = np.split(positions, starts[1:])
    if kind == POLYGON:
        shapes.add(POLYGON, parts, crs)
        return
    for part in parts:
        shapes.add(LINE, [part], crs)


def _positions(data: bytes, place: int, count: int) -> np.ndarray:
    return np.frombuffer(data, "<f8", 2 * count, place).reshape(-1, 2)
