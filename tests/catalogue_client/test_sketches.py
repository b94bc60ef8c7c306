"""Vector files from elsewhere: drawn where they lie, whatever the format, or clearly refused."""

from __future__ import annotations

import io
import json
import sqlite3
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.warp import transform

from catalogue_client import geometry as geo
from catalogue_client import vector
from common.errors import InvalidInput

BOX = (14.0, 40.0, 14.4, 40.2)
WEST, SOUTH, EAST, NORTH = BOX
# A square with a hole in its middle.
RING = [(WEST, SOUTH), (WEST, NORTH), (EAST, NORTH), (EAST, SOUTH), (WEST, SOUTH)]
HOLE = [(14.1, 40.05), (14.3, 40.05), (14.3, 40.15), (14.1, 40.15), (14.1, 40.05)]
UTM = CRS.from_epsg(32633)


def text(ring: list[tuple[float, float]], *, north_first: bool = False, joint: str = " ") -> str:
    return " ".join(joint.join(str(n) for n in (p[::-1] if north_first else p)) for p in ring)


def kml() -> str:
    def part(name: str, ring: Any) -> str:
        return (
            f"<{name}BoundaryIs><LinearRing><coordinates>{text(ring, joint=',')}</coordinates>"
            f"</LinearRing></{name}BoundaryIs>"
        )

    return (
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><Polygon>'
        f"{part('outer', RING)}{part('inner', HOLE)}</Polygon></Placemark></kml>"
    )


def gml(system: str, *, north_first: bool) -> str:
    def part(name: str, ring: Any) -> str:
        listed = text(ring, north_first=north_first)
        return f"<{name}><LinearRing><posList>{listed}</posList></LinearRing></{name}>"

    return (
        f'<c xmlns="http://www.opengis.net/gml/3.2"><boundedBy><Envelope srsName="{system}">'
        "<lowerCorner>0 0</lowerCorner></Envelope></boundedBy><member><Polygon>"
        f"{part('exterior', RING)}{part('interior', HOLE)}</Polygon></member></c>"
    )


def projected(ring: list[tuple[float, float]]) -> list[tuple[float, float]]:
    xs, ys = transform("OGC:CRS84", UTM, *zip(*ring, strict=True))
    return list(zip(xs, ys, strict=True))


def shapefile() -> bytes:
    rings = [projected(RING), projected(HOLE)]
    points = [number for ring in rings for point in ring for number in point]
    body = struct.pack("<i4d2i2i", 5, 0, 0, 0, 0, 2, len(points) // 2, 0, len(RING))
    body += struct.pack(f"<{len(points)}d", *points)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        header = b"\0" * 100 + struct.pack(">2i", 1, len(body) // 2)
        archive.writestr("a/plots.shp", header + body)
        archive.writestr("a/plots.PRJ", UTM.to_wkt(version="WKT1_ESRI"))
    return file.getvalue()


def geopackage(path: Path) -> bytes:
    path = path / "base"
    base = sqlite3.connect(path)
    base.executescript(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization, organization_coordsys_id,"
        " definition); CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id);"
        'CREATE TABLE "my ""plots" (id, "geom"); CREATE VIEW evil AS SELECT 1 AS geom;'
        "INSERT INTO gpkg_spatial_ref_sys VALUES (32633, 'EPSG', 32633, '');"
        "INSERT INTO gpkg_geometry_columns VALUES ('my \"plots', 'geom', 32633), "
        "('evil', 'geom', 32633);"
    )
    shape = shapely.MultiPolygon([shapely.Polygon(projected(RING), [projected(HOLE)])])
    blob = b"GP\0\x03" + struct.pack("<i4d", 32633, 0, 0, 0, 0) + shapely.to_wkb(shape)
    base.execute('INSERT INTO "my ""plots" VALUES (1, ?), (2, NULL)', (blob,))
    base.commit()
    base.close()
    return path.read_bytes()


def kmz() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("doc.kml", kml())
    return file.getvalue()


def samples(folder: Path) -> dict[str, bytes]:
    document = {"type": "Polygon", "coordinates": [RING, HOLE]}
    feature = {"type": "Feature", "properties": {}, "geometry": document}
    plain = "http://www.opengis.net/gml/srs/epsg.xml#4326"
    return {
        "GeoJSON": json.dumps({"type": "FeatureCollection", "features": [feature]}).encode(),
        "KML": kml().encode(),
        "KMZ": kmz(),
        "GML by URN": gml("urn:ogc:def:crs:EPSG::4326", north_first=True).encode(),
        "GML by URI": gml("http://www.opengis.net/def/crs/EPSG/0/4326", north_first=True).encode(),
        "GML 2 style": gml(plain, north_first=False).encode(),
        "GML CRS84": gml("urn:ogc:def:crs:OGC:1.3:CRS84", north_first=False).encode(),
        "shapefile": shapefile(),
        "GeoPackage": geopackage(folder),
    }


def seen(picture: bytes) -> np.ndarray:
    with rasterio.MemoryFile(picture) as memory, memory.open() as source:
        return source.read()


def test_every_format_is_drawn_at_its_place(tmp_path: Path) -> None:
    for name, data in samples(tmp_path).items():
        path = tmp_path / "file"
        path.write_bytes(data)
        box, picture = vector.look(path, size=200)
        assert box == pytest.approx(BOX, abs=2e-3), name
        bands = seen(picture)
        _, height, width = bands.shape
        assert (width, round(height / width, 1)) == (200, 0.5), name
        opacity = bands[3]
        assert opacity[height // 2, width // 2] == 0, name  # the hole
        assert opacity[height // 2, width // 8] == 110, name  # what is around it
        assert opacity[height // 2, 1:3].max() == 255, name  # its edge


@pytest.mark.parametrize(
    ("geometry", "drawn"),
    [
        ({"type": "Point", "coordinates": [1, 2]}, False),
        ({"type": "LineString", "coordinates": [[1, 2], [5, 2]]}, False),
        ({"type": "MultiPoint", "coordinates": [[1, 2], [5, 3, 9]]}, True),
        ({"type": "LineString", "coordinates": [[1, 2], [5, 2.000001]]}, True),
        (geo.polygon((170, 0, -170, 1)), False),
        (geo.polygon((-180, -90, 180, 90)), True),
    ],
)
def test_what_has_an_extent_in_one_piece_is_drawn(
    tmp_path: Path, geometry: Any, drawn: bool
) -> None:
    path = tmp_path / "a"
    path.write_text(json.dumps(geometry))
    box, picture = vector.look(path)
    assert box == geo.box_of(geometry)
    assert bool(picture) == drawn
    if drawn:
        assert seen(picture)[3].max() > 0
        assert len(picture) < 100_000


@pytest.mark.parametrize(
    "data",
    [
        b"", b"no file of ours", b"{", b"<", b"<a/>", b"PK\x03\x04 broken",
        b"SQLite format 3\0 broken",
        b'<!DOCTYPE a [<!ENTITY b "c">]><kml><Point><coordinates>&b;</coordinates></Point></kml>',
        b"<kml><Point><coordinates>x,y</coordinates></Point></kml>",
        b"<kml><Point><coordinates>1000,0</coordinates></Point></kml>",
        b'<G><Point srsName="EPSG:999999"><pos>1 2</pos></Point></G>',
        b'<G><Point srsName="/etc/passwd"><pos>1 2</pos></Point></G>',
        b"<G><LineString><posList>1 2 3</posList></LineString></G>",
    ],
)  # fmt: skip
def test_what_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(InvalidInput) as refused:
        vector.look(path)
    assert str(tmp_path) not in str(refused.value.detail)


def test_a_bomb_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", b" " * (65 * 2**20))
    with pytest.raises(InvalidInput, match="too large"):
        vector.look(path)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_never_do_more_than_be_refused(tmp_path: Path, data: st.DataObject) -> None:
    every = samples(tmp_path) if not _made else _made[0]
    _made[:] = [every]
    whole = bytearray(every[data.draw(st.sampled_from(list(every)))])
    for _hit in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "file"
    path.write_bytes(whole[: data.draw(st.integers(1, len(whole)))])
    try:
        box, _picture = vector.look(path, seconds=20)
    except InvalidInput:
        return
    assert -180 <= box[0] <= 180
    assert -90 <= box[1] <= box[3] <= 90


_made: list[dict[str, bytes]] = []
