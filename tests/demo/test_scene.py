"""The scene: the same every time, and believable."""

from __future__ import annotations

import json

import numpy as np
import rasterio
from shapely.geometry import box, shape

from catalogue_client.stac import checked_item
from portal.demo.algorithms import index
from portal.demo.grid import BANDS, DATES, SCALE
from portal.demo.landscape import landscape
from portal.demo.scene import SEED, ensure_scene, reflectances


def test_it_is_the_same_every_time(scene, tmp_path):
    again = ensure_scene(tmp_path / "again")
    for date in DATES:
        with rasterio.open(scene.raster(date)) as one, rasterio.open(again.raster(date)) as other:
            assert (one.read() == other.read()).all()
            assert one.descriptions == BANDS
            assert one.crs.to_epsg() == 32633
    assert (scene.folder / "parcels.geojson").read_bytes() == (
        again.folder / "parcels.geojson"
    ).read_bytes()
    before = scene.raster(DATES[0]).stat().st_mtime_ns
    ensure_scene(scene.folder)
    assert scene.raster(DATES[0]).stat().st_mtime_ns == before, "made once"


def test_the_land_looks_like_what_it_is():
    land = landscape(512, SEED)
    spring, summer = (dict(zip(BANDS, reflectances(land, date), strict=True)) for date in (0, 1))
    vegetation = index(spring, "NDVI"), index(summer, "NDVI")

    def mean(values, name):
        return float(values[land.cover == land.names.index(name)].mean())

    assert all(mean(values, "water") < 0 for values in vegetation)
    assert all(0.05 < mean(values, "town") < 0.3 for values in vegetation)
    assert all(mean(values, "forest") > 0.7 for values in vegetation)
    assert mean(index(summer, "NDWI"), "water") > 0.2
    assert mean(vegetation[0], "winter wheat") - mean(vegetation[1], "winter wheat") > 0.3, (
        "harvest"
    )
    assert mean(vegetation[1], "maize") - mean(vegetation[0], "maize") > 0.5, "growth"
    shares = {name: float((land.cover == i).mean()) for i, name in enumerate(land.names)}
    assert shares["water"] > 0.03
    assert shares["town"] > 0.03
    assert shares["forest"] > 0.03
    assert all(share > 0 for share in shares.values())


def test_parcels_are_fields_of_the_scene(scene):
    collection = json.loads((scene.folder / "parcels.geojson").read_text())
    shapes = [shape(feature["geometry"]) for feature in collection["features"]]
    assert len(shapes) >= 30
    assert all(one.is_valid and box(*scene.bbox).contains(one) for one in shapes)
    assert all(not a.overlaps(b) for a in shapes[:15] for b in shapes[15:])
    assert {f["properties"]["land_use"] for f in collection["features"]} >= {"maize", "meadow"}


def test_the_catalogue_takes_its_items(scene):
    assert [item["id"][-10:] for item in scene.items] == list(DATES)
    for item, date in zip(scene.items, DATES, strict=True):
        stored = checked_item(item)
        assert stored["bbox"] == item["bbox"]
        assert box(*item["bbox"]).buffer(2e-4).contains(shape(item["geometry"]))
        for asset in item["assets"].values():
            assert (scene.folder / asset["href"].rpartition("/")[2]).is_file()
        with rasterio.open(scene.folder / f"{date}.png") as picture:
            colours = picture.read()
        assert picture.driver == "PNG"
        assert colours[:3][:, colours[3] == 255].std() > 20, "a picture with something in it"
        assert (colours[3] == 0).any(), "transparent where the scene does not reach"


def test_values_are_reflectances(scene):
    for date in DATES:
        with rasterio.open(scene.raster(date)) as raster:
            stored = raster.read()
            assert raster.scales == (1 / SCALE,) * len(BANDS)
        assert stored.dtype == np.uint16
        assert stored.min() > 0
        assert stored.max() < SCALE
