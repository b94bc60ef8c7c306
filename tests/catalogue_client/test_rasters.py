"""Rasters and vectors from elsewhere: put in the right place, and never a danger."""

from __future__ import annotations

import math
import os
import signal
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rasterio.transform import Affine, from_origin
from rasterio.warp import transform

from catalogue_client import geometry as geo
from catalogue_client import raster, raster_processes
from common.errors import InvalidInput

UTM = "EPSG:32633"
METRE = 1 / 111_320  # in degrees of latitude


def write(
    path: Path, data: np.ndarray, grid: Affine, crs: str | None = UTM, **profile: Any
) -> Path:
    """A GeoTIFF of (bands, rows, columns)."""
    bands, height, width = data.shape
    shape = {"count": bands, "height": height, "width": width, "dtype": data.dtype.name}
    options = {"driver": "GTiff", "crs": crs, "transform": grid, **shape, **profile}
    with rasterio.open(path, "w", **options) as file:
        file.write(data)
    return path


def pixels(png: bytes) -> np.ndarray:
    with MemoryFile(png) as memory, memory.open() as file:
        assert file.driver == "PNG"
        picture: np.ndarray = file.read()
        return picture


def test_a_footprint_is_right_to_the_metre(tmp_path: Path) -> None:
    grid = from_origin(430_000, 4_540_000, 20, 20)
    path = write(tmp_path / "a.tif", np.zeros((1, 300, 400), "float32"), grid, nodata=math.nan)
    info = raster.describe(path)
    xs, ys = [430_000, 430_000, 438_000, 438_000], [4_540_000, 4_534_000, 4_534_000, 4_540_000]
    lons, lats = transform(UTM, "EPSG:4326", xs, ys)
    ring = info.footprint["coordinates"][0]
    for lon, lat in zip(lons, lats, strict=True):
        nearest = min(math.hypot(lon - x, lat - y) for x, y in ring)
        assert nearest < METRE / 10
    edges = [np.linspace(a, b, 500) for a, b in ((430_000, 438_000), (4_534_000, 4_540_000))]
    _, top = transform(UTM, "EPSG:4326", list(edges[0]), [4_540_000.0] * 500)
    assert info.bbox[0] == pytest.approx(min(lons), abs=METRE)
    assert info.bbox[1] == pytest.approx(min(lats), abs=METRE)
    assert info.bbox[2] == pytest.approx(max(lons), abs=METRE)
    assert info.bbox[3] == pytest.approx(max(top), abs=METRE)
    assert (info.crs, info.width, info.height, info.bands) == (UTM, 400, 300, 1)
    assert (info.dtype, info.nodata, info.cloud_optimised) == ("float32", "nan", False)
    assert info.transform == (20.0, 0.0, 430_000.0, 0.0, -20.0, 4_540_000.0)
    geo.checked(info.footprint)


def test_a_preview_lies_where_its_box_says(tmp_path: Path) -> None:
    """A bright square at a known place is found there by the box alone."""
    data = np.full((1, 300, 400), 10.0, "float32")
    data[0, 100:120, 300:320] = 200
    data[0, :, :40] = -9999
    path = write(tmp_path / "a.tif", data, from_origin(430_000, 4_540_000, 20, 20), nodata=-9999)
    west, south, east, north = raster.describe(path).bbox
    picture = pixels(raster.preview(path))
    _, height, width = picture.shape
    assert max(height, width) <= 1024
    assert width / height == pytest.approx((east - west) / (north - south), rel=0.01)

    def at(column: float, row: float) -> np.ndarray:
        lon, lat = transform(UTM, "EPSG:4326", [430_000 + column * 20], [4_540_000 - row * 20])
        x, y = (lon[0] - west) / (east - west), (north - lat[0]) / (north - south)
        found: np.ndarray = picture[:, int(y * height), int(x * width)]
        return found

    bright, dark, empty = at(310, 110), at(200, 200), at(20, 150)
    assert bright[0] > 200
    assert dark[0] < 100
    assert (bright[3], dark[3], empty[3]) == (255, 255, 0)
    for column, row in ((303, 103), (317, 117)):
        assert at(column, row)[0] > 200
    for column, row in ((296, 110), (324, 110), (310, 96), (310, 124)):
        assert at(column, row)[0] < 100


def test_colours(tmp_path: Path) -> None:
    grid = from_origin(430_000, 4_540_000, 20, 20)
    rgb = np.zeros((3, 50, 50), "uint8")
    rgb[0], rgb[1, :, 25:] = 200, 100
    picture = pixels(raster.preview(write(tmp_path / "rgb.tif", rgb, grid)))
    assert list(picture[:, 25, 10]) == [200, 0, 0, 255]
    assert list(picture[:, 25, 40]) == [200, 100, 0, 255]

    index = np.linspace(-1, 1, 50, dtype="float32")[None, None, :].repeat(50, axis=1)
    picture = pixels(raster.preview(write(tmp_path / "ndvi.tif", index, grid)))
    assert picture[0, 25, 3] > picture[1, 25, 3]  # brown below zero
    assert picture[1, 25, 46] > picture[0, 25, 46]  # green above
    assert min(picture[:3, 25, 25]) > 200  # nearly white at zero

    classes = np.zeros((1, 50, 50), "uint8")
    classes[0, :, 25:] = 7
    path = write(tmp_path / "classes.tif", classes, grid, photometric="palette")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {0: (1, 2, 3, 255), 7: (250, 10, 20, 255)})
    picture = pixels(raster.preview(path))
    assert list(picture[:3, 25, 40]) == [250, 10, 20]

    wide = (np.arange(2500).reshape(1, 50, 50) * 20).astype("uint16").repeat(3, axis=0)
    picture = pixels(raster.preview(write(tmp_path / "uint16.tif", wide, grid)))
    assert picture[0, 2, 2] < 20
    assert picture[0, -3, -3] > 235

    flat = np.full((1, 20, 20), 5, "int16")
    assert pixels(raster.preview(write(tmp_path / "flat.tif", flat, grid)))[3].max() == 255
    nothing = np.full((1, 20, 20), -1, "int16")
    empty = pixels(raster.preview(write(tmp_path / "none.tif", nothing, grid, nodata=-1)))
    assert empty[3].max() == 0


def test_unusual_places(tmp_path: Path) -> None:
    data = np.arange(10_000, dtype="float32").reshape(1, 100, 100)
    across = write(
        tmp_path / "fiji.tif", data, from_origin(800_000, 8_100_000, 1000, 1000), "EPSG:32760"
    )
    info = raster.describe(across)
    west, _, east, _ = info.bbox
    assert 170 < west < 180
    assert -180 < east < -170
    assert geo.box_of(info.footprint) == info.bbox
    assert pixels(raster.preview(across))[3].mean() > 150

    pole = write(
        tmp_path / "pole.tif", data, from_origin(-500_000, 500_000, 10_000, 10_000), "EPSG:3413"
    )
    assert raster.describe(pole).bbox[::2] == (-180.0, 180.0)
    assert raster.describe(pole).bbox[3] == 90.0
    assert pixels(raster.preview(pole))[3].mean() > 150

    tilted = Affine.translation(14, 41) * Affine.rotation(30) * Affine.scale(0.001, -0.001)
    turned = raster.describe(write(tmp_path / "turned.tif", data, tilted, "EPSG:4326"))
    assert len(turned.footprint["coordinates"][0]) == 5
    assert turned.bbox[1] < 41 < turned.bbox[3]

    world = write(tmp_path / "world.tif", data, Affine(3.6, 0, -180, 0, -1.8, 90), "EPSG:4326")
    assert raster.describe(world).bbox == (-180, -90, 180, 90)
    own = CRS.from_proj4("+proj=laea +lat_0=45 +lon_0=10 +datum=WGS84 +units=m")
    custom = raster.describe(write(tmp_path / "own.tif", data, from_origin(0, 0, 10, 10), own))
    assert custom.crs.startswith("PROJCS")
    assert custom.bbox[0] == pytest.approx(10, abs=1e-6)


def test_a_cloud_optimised_file_is_recognised_and_large_ones_are_drawn_by_overviews(
    tmp_path,
) -> None:
    data = np.random.default_rng(1).integers(0, 255, (1, 1500, 1500)).astype("uint8")
    path = write(tmp_path / "cog.tif", data, from_origin(430_000, 4_540_000, 20, 20), driver="COG")
    assert raster.describe(path).cloud_optimised
    assert max(pixels(raster.preview(path, size=200)).shape) == 200

    huge = tmp_path / "huge.tif"
    options = {"driver": "GTiff", "crs": UTM, "transform": from_origin(0, 5_000_000, 1, 1)}
    shape = {"width": 100_000, "height": 100_000, "count": 1, "dtype": "uint8"}
    with rasterio.open(huge, "w", **options, **shape, tiled=True, SPARSE_OK=True, bigtiff="YES"):
        pass
    assert huge.stat().st_size < 3_000_000
    assert raster.describe(huge).width == 100_000
    with pytest.raises(InvalidInput, match="too large"):
        raster.preview(huge)


def test_plain_pictures_are_made_smaller(tmp_path: Path) -> None:
    data = np.zeros((3, 600, 1200), "uint8")
    data[1] = 90
    for name, driver in (("a.png", "PNG"), ("a.jpg", "JPEG")):
        path = write(tmp_path / name, data, Affine.identity(), None, driver=driver)
        picture = pixels(raster.preview(path, size=300))
        assert picture.shape == (4, 150, 300)
        assert abs(int(picture[1, 75, 150]) - 90) < 4
        with pytest.raises(InvalidInput, match="where on Earth"):
            raster.describe(path)


def bomb_png(width: int, height: int) -> bytes:
    """A picture that says it is huge, with next to no data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def one_block_tiff(side: int) -> bytes:
    """A TIFF whose single strip must be decoded as a whole."""
    tags = [
        (256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 8), (262, 3, 1),
        (273, 4, 400), (277, 3, 1), (278, 4, side), (279, 4, 20),
    ]  # fmt: skip
    ifd = struct.pack("<H", len(tags)) + b"".join(
        struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags
    )
    body = struct.pack("<2sHI", b"II", 42, 8) + ifd + struct.pack("<I", 0)
    return body.ljust(400, b"\0") + zlib.compress(b"\0" * 1000)


HOSTILE = {
    "empty": b"",
    "text": b"this is no raster",
    "html": b"<html><script>alert(1)</script></html>",
    "vrt": b'<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1">'
    b"<SimpleSource><SourceFilename>/etc/passwd</SourceFilename></SimpleSource>"
    b"</VRTRasterBand></VRTDataset>",
    "wms service": b"<GDAL_WMS><Service name='TMS'><ServerUrl>http://127.0.0.1/</ServerUrl></Service></GDAL_WMS>",
    "only a beginning": b"II*\0\x08\0\0\0",
    "loop of directories": b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + bytes(50),
    "random after beginning": b"II*\0" + bytes(range(256)) * 20,
    "huge png": bomb_png(2**31 - 1, 2**31 - 1),
    "large png": bomb_png(60_000, 60_000),
    "one huge block": one_block_tiff(60_000),
    "jpeg beginning": b"\xff\xd8\xff\xe0" + bytes(200),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "result.tif"
    path.write_bytes(HOSTILE[name])
    for look in (raster.describe, raster.preview):
        with pytest.raises(InvalidInput) as refused:
            look(path)
        assert str(tmp_path) not in refused.value.detail
        assert refused.value.detail.endswith(".")


def test_damage_in_the_middle_is_noticed(tmp_path: Path) -> None:
    data = np.random.default_rng(1).random((1, 400, 400)).astype("float32")
    grid = from_origin(430_000, 4_540_000, 20, 20)
    path = write(tmp_path / "a.tif", data, grid, compress="deflate")
    whole = path.read_bytes()
    assert raster.preview(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="damaged"):
        raster.preview(path)


def test_side_cars_and_other_addresses_are_not_followed(tmp_path: Path) -> None:
    plain = np.zeros((1, 10, 10), "uint8")
    path = write(tmp_path / "a.tif", plain, Affine.identity(), None)
    (tmp_path / "a.tfw").write_text("20\n0\n0\n-20\n430010\n4539990\n")
    (tmp_path / "a.tif.aux.xml").write_text(
        f"<PAMDataset><SRS>{CRS.from_string(UTM).to_wkt()}</SRS>"
        "<GeoTransform>430000, 20, 0, 4540000, 0, -20</GeoTransform></PAMDataset>"
    )
    with rasterio.open(path) as file:
        assert file.transform.a == 20  # what the library does when it is let
    with pytest.raises(InvalidInput, match="where on Earth"):
        raster.describe(path)
    for name in ("/vsicurl/http://127.0.0.1:1/a.tif", "zip+https://a/b", "/vsistdin/"):
        with pytest.raises(InvalidInput, match="cannot be read"):
            raster.describe(Path(name))


def children(pid: int) -> list[int]:
    """The processes that this one started and that are still there."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(part) for part in text.split()]


def test_what_takes_too_long_is_given_up_and_its_process_ended(tmp_path: Path) -> None:
    data = np.zeros((1, 10, 10), "uint8")
    path = write(tmp_path / "a.tif", data, from_origin(430_000, 4_540_000, 20, 20))
    with pytest.raises(InvalidInput, match="too long"):
        raster.describe(path, seconds=0)
    kept = [process._process.pid for process in raster_processes._free]
    assert kept
    assert [child for pid in kept for child in children(pid)] == []
    assert raster.describe(path).width == 10


def test_files_share_a_process_that_opens_none_itself_and_that_may_be_ended(tmp_path: Path) -> None:
    data = np.zeros((1, 10, 10), "uint8")
    path = write(tmp_path / "a.tif", data, from_origin(430_000, 4_540_000, 20, 20))
    raster.describe(path)
    before = {process._process.pid for process in raster_processes._free}
    info, picture = raster.look(path)
    assert (info, picture) == (raster.describe(path), raster.preview(path))
    assert {process._process.pid for process in raster_processes._free} == before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert raster.look(path)[0].width == 10


def test_what_has_a_place_and_cannot_be_drawn_is_described(tmp_path: Path) -> None:
    data = np.random.default_rng(1).random((1, 400, 400)).astype("float32")
    grid = from_origin(430_000, 4_540_000, 20, 20)
    path = write(tmp_path / "a.tif", data, grid, compress="deflate")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    info, picture = raster.look(path)
    assert (info.width, picture) == (400, b"")
