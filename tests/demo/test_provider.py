"""The provider as a client sees it: OWSLib drives every process, results are computed again."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import rasterio
from lxml import etree
from owslib.wps import ASYNC, SYNC, BoundingBoxDataInput, ComplexDataInput, WPSExecution
from rasterio.mask import mask
from rasterio.warp import transform_bounds, transform_geom
from rasterio.windows import from_bounds
from shapely.geometry import shape

from accounting.usage.forms import parse as parse_usage
from common.xml import parse
from portal.demo.grid import BANDS
from tests.demo.conftest import wait_until

CRS84 = "urn:ogc:def:crs:OGC:1.3:CRS84"
PROCESSES = {"ndvi", "change", "zonal-statistics", "buffer", "hello", "echo", "fail"}


def area(west, south, east, north, crs=CRS84):
    return BoundingBoxDataInput([west, south, east, north], crs=crs, dimensions=2)


def outputs(execution):
    assert execution.isSucceded(), [error.text for error in execution.errors]
    return {output.identifier: output for output in execution.processOutputs}


def fetched(provider, output):
    status, body, headers = provider.get(output.reference.removeprefix(provider.base))
    assert status == 200
    assert headers["content-type"].split(";")[0] == output.mimeType
    return body


def test_it_says_what_it_offers(provider):
    wps = provider.wps
    assert wps.identification.title == "Demo processing centre"
    assert {process.identifier for process in wps.processes} == PROCESSES
    for process in wps.processes:
        described = wps.describeprocess(process.identifier)
        assert described.title
        assert len(described.abstract) > 30
        assert described.storeSupported
        assert described.statusSupported
        for one in described.dataInputs:
            assert one.title
            assert one.abstract, one.identifier
    document = provider.get("/wps?service=WPS&request=DescribeProcess&version=1.0.0&identifier=all")
    text = document[1].decode()
    for part in ("MinimumValue", "UOM", "maximumMegabytes", "DefaultValue", CRS84):
        assert part in text


@pytest.mark.parametrize("index", ["NDVI", "NDWI"])
def test_an_index_is_what_the_bands_say(provider, scene, index):
    inputs = [("bbox", area(*scene.bbox)), ("index", index), ("date", "2026-04-12")]
    inputs += [("threshold", "0.3"), ("minimum-area", "0")]
    found = outputs(provider.run("ndvi", inputs))
    with rasterio.open(scene.raster("2026-04-12")) as raster:
        bands = dict(zip(BANDS, raster.read().astype(np.float64) / 10_000, strict=True))
        place = raster.transform
    first, second = {"NDVI": ("nir", "red"), "NDWI": ("green", "nir")}[index]
    expected = (bands[first] - bands[second]) / (bands[first] + bands[second])
    with rasterio.MemoryFile(fetched(provider, found["result"])) as memory, memory.open() as cog:
        np.testing.assert_allclose(cog.read(1), expected, atol=1e-6)
        assert cog.transform == place
        assert cog.crs.to_epsg() == 32633
        assert cog.profile["tiled"]
        assert cog.overviews(1), "a cloud-optimised one has overviews"
        assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    assert float(found["mean"].data[0]) == pytest.approx(expected.mean(), abs=1e-5)
    pixels = (expected > 0.3).sum()
    assert float(found["area"].data[0]) == pytest.approx(pixels * 1e-4, abs=5e-4)
    assert float(found["share"].data[0]) == pytest.approx(100 * pixels / expected.size, abs=1e-2)
    png = fetched(provider, found["quicklook"])
    with rasterio.MemoryFile(png) as memory, memory.open() as picture:
        assert (picture.driver, picture.count) == ("PNG", 4)
        assert picture.read()[:3].std() > 10
    footprint = found["footprint"].data[0]
    assert [float(footprint.minx), float(footprint.maxy)] == pytest.approx(
        [scene.bbox[0], scene.bbox[3]], abs=3e-4
    )


@pytest.mark.parametrize("crs", [CRS84, "urn:ogc:def:crs:EPSG::4326"])
def test_a_box_cuts_the_scene_in_either_axis_order(provider, scene, crs):
    west, south, east, north = 14.285, 48.295, 14.300, 48.305
    box = area(west, south, east, north)
    if crs != CRS84:
        box = area(south, west, north, east, crs)
    found = outputs(provider.run("ndvi", [("bbox", box)]))
    with rasterio.MemoryFile(fetched(provider, found["result"])) as memory, memory.open() as cog:
        cut = transform_bounds(cog.crs, "EPSG:4326", *cog.bounds)
        assert cut == pytest.approx((west, south, east, north), abs=4e-4)
        with rasterio.open(scene.raster("2026-07-21")) as raster:
            red, nir = raster.read((3, 4), window=from_bounds(*cog.bounds, raster.transform))
        np.testing.assert_allclose(cog.read(1), (nir - 1.0 * red) / (nir + 1.0 * red), atol=1e-6)


def test_a_box_elsewhere_fails_with_words(provider):
    for box in (area(0, 0, 1, 1), area(14.3, 48.3, 14.3, 48.3), area(-500, 0, 1, 99)):
        execution = provider.run("ndvi", [("bbox", box)])
        assert "box" in execution.errors[0].text


def test_change_is_followed_and_measured(provider, scene):
    box = area(*scene.bbox)
    execution = provider.run("change", [("bbox", box), ("pause", "3")], wait=False)
    seen = provider.follow(execution)
    percents = [percent for percent, _ in seen]
    assert percents == sorted(percents)
    assert len(set(percents)) > 5
    assert any(message == "Compared 10 of 20 strips" for _, message in seen)
    found = outputs(execution)
    with rasterio.MemoryFile(fetched(provider, found["result"])) as memory, memory.open() as cog:
        classes, colours = cog.read(1), cog.colormap(1)
        assert cog.overviews(1)
    assert set(np.unique(classes)) == {0, 1, 2}
    assert colours[1] != colours[2]
    for name, value in (("gain", 1), ("loss", 2)):
        square_kilometres = float(found[name].data[0])
        assert square_kilometres == pytest.approx((classes == value).sum() * 1e-4, abs=1e-6)
        assert square_kilometres > 1


def test_zones_by_address_and_by_value(provider, scene):
    address = f"{provider.base}/scene/parcels.geojson"
    text = (scene.folder / "parcels.geojson").read_text()
    wanted = [("statistics", "mean"), ("statistics", "count"), ("layer", "red")]
    tables = []
    for given in (address, text):
        zones = ComplexDataInput(given, mimeType="application/geo+json")
        found = outputs(provider.run("zonal-statistics", [("zones", zones), *wanted]))
        features = json.loads(found["result"].data[0])["features"]
        tables.append(list(csv.DictReader(io.StringIO(fetched(provider, found["table"]).decode()))))
        assert len(features) == len(tables[-1]) == int(found["zones"].data[0]) >= 30
    assert tables[0] == tables[1]
    with rasterio.open(scene.raster("2026-07-21")) as raster:
        parcel = transform_geom("EPSG:4326", raster.crs, features[4]["geometry"])
        cut, _ = mask(raster, [parcel], crop=True, indexes=3, filled=False)
    measured = features[4]["properties"]
    assert measured["red_count"] == cut.count()
    assert measured["red_mean"] == pytest.approx(cut.mean() / 10_000, abs=1e-5)
    assert float(tables[0][4]["red_mean"]) == measured["red_mean"]
    assert tables[0][4]["parcel"] == "P005"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "not JSON"),
        ('{"type": "FeatureCollection", "features": []}', "no features"),
        ('{"type": "Point", "coordinates": [14.3, 48.3]}', "Polygon"),
        (
            '{"type": "Polygon", "coordinates": [[[500, 0], [501, 0], [501, 1], [500, 0]]]}',
            "degrees",
        ),
        ('{"type": "Polygon", "coordinates": "x"}', "cannot be read"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}', "scene"),
    ],
)
def test_zones_that_are_none_are_said_to_be_so(provider, text, words):
    zones = ComplexDataInput(text, mimeType="application/geo+json")
    execution = provider.run("zonal-statistics", [("zones", zones)])
    assert words in execution.errors[0].text


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/x", "http://169.254.169.254/x", "file:///x"]
)
def test_inputs_come_from_nowhere_inside(provider, address):
    zones = ComplexDataInput(address, mimeType="application/geo+json")
    execution = WPSExecution()
    request = execution.buildRequest("zonal-statistics", [("zones", zones)], output=[])
    status, body, _ = provider.post(etree.tostring(request), reference=f"in{abs(hash(address))}")
    assert status == 400
    assert b"may not be read" in body
    assert provider.get(f"/lookup/in{abs(hash(address))}")[0] == 404, "nothing of it runs"


def test_a_buffer_is_as_wide_as_asked(provider):
    point = json.dumps({"type": "Point", "coordinates": [14.3, 48.3]})
    features = ComplexDataInput(point, mimeType="application/geo+json")
    inputs = [("features", features), ("distance", "250"), ("segments", "32")]
    found = outputs(provider.run("buffer", inputs, mode=SYNC))
    (zone,) = json.loads(found["result"].data[0])["features"]
    ring = shape(zone["geometry"])
    assert (ring.bounds[3] - ring.bounds[1]) * 111_200 == pytest.approx(500, rel=0.01)
    assert found["count"].data == ["1"]


def test_an_echo_comes_back(provider):
    document = ComplexDataInput('{"a": "<&>", "b": [1]}', mimeType="application/json")
    inputs = [("literal", "a<b> & \u00fc"), ("complex", document), ("bbox", area(1, 2, 3.5, 4))]
    for mode in (SYNC, ASYNC):
        found = outputs(provider.run("echo", inputs, mode=mode))
        assert found["literal"].data == ["a<b> & \u00fc"]
        assert json.loads(found["complex"].data[0]) == {"a": "<&>", "b": [1]}
        box = found["bbox"].data[0]
        assert [float(v) for v in (box.minx, box.miny, box.maxx, box.maxy)] == [1, 2, 3.5, 4]


def test_a_failure_has_the_message_of_its_process(provider):
    execution = provider.run("fail", [("after", "0"), ("message", "The disk is full.")])
    assert execution.errors[0].text.strip().endswith("The disk is full.")


def test_results_are_served_whole_and_in_parts_and_nothing_else(provider):
    found = outputs(provider.run("ndvi", [("bbox", area(14.28, 48.29, 14.29, 48.30))]))
    path = found["result"].reference.removeprefix(provider.base)
    whole = provider.get(path)[1]
    status, part, headers = provider.get(path, Range="bytes=4-9")
    assert (status, part) == (206, whole[4:10])
    assert headers["content-range"] == f"bytes 4-9/{len(whole)}"
    for bad in ("/outputs/", "/outputs/../pywps.cfg", "/outputs/%2e%2e/pywps.cfg", "/outputs/x/y"):
        assert provider.get(bad)[0] == 404
    assert provider.get("/lookup/../x")[0] == 404
    assert b"Demo processing centre" in provider.get("/")[1]


def test_each_job_is_reported_once_whether_it_succeeded_or_not(provider):
    before = len(provider.messages())
    provider.run("change", [("bbox", area(14.28, 48.29, 14.29, 48.30)), ("pause", "2")])
    provider.run("fail", [("after", "0")])
    provider.run("hello", [("name", "Ada")], mode=SYNC)
    wait_until(lambda: len(provider.messages()) == before + 3, "three messages", provider)
    now = datetime.now(UTC)
    records = [parse_usage(body.encode(), at=now) for body in provider.messages()[before:]]
    assert all(len(m.records) == 1 and not (m.bad or m.warnings) for m in records)
    change, fail, hello = (message.records[0] for message in records)
    assert {one.site for one in (change, fail, hello)} == {"TEP-DEMO"}
    assert len({one.job for one in (change, fail, hello)}) == 3
    assert 2 <= change.wall_seconds <= 60
    assert all(one.cpu_seconds >= 1 and one.wall_seconds >= 1 for one in (fail, hello))
    assert all(
        now - timedelta(minutes=3) < one.started <= one.ended for one in (change, fail, hello)
    )


def test_status_documents_are_never_half(provider):
    """PyWPS rewrites them in place; readers in a hurry would see the middle of it."""
    execution = provider.run(
        "change", [("bbox", area(14.27, 48.28, 14.32, 48.32)), ("pause", "1")], wait=False
    )
    path = execution.statusLocation.removeprefix(provider.base)
    documents = 0
    while True:
        status, body, _ = provider.get(path)
        assert status == 200
        root = parse(body)  # raises when it is not complete
        documents += 1
        if b"ProcessSucceeded" in body:
            break
    assert documents > 20
    assert root.tag.endswith("ExecuteResponse")
