"""The computations, against slow or known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from portal.demo import algorithms
from portal.demo.rasters import cut


def test_an_index_is_a_normalised_difference_and_unknown_without_light():
    bands = {
        "nir": np.array([[0.5, 0.0, np.nan]], dtype=np.float32),
        "red": np.array([[0.1, 0.0, 0.2]], dtype=np.float32),
    }
    values = algorithms.index(bands, "NDVI")
    assert values[0, 0] == pytest.approx(0.4 / 0.6)
    assert np.isnan(values[0, 1:]).all()


def test_specks_do_not_count():
    values = np.zeros((20, 20), dtype=np.float32)
    values[2, 2] = values[10:15, 10:15] = 1
    assert algorithms.above(values, 0.5, 0).sum() == 26
    assert algorithms.above(values, 0.5, 4).sum() == 25
    assert algorithms.above(np.full((3, 3), np.nan, dtype=np.float32), -1, 0).sum() == 0


def test_change_has_a_direction_and_no_opinion_without_data():
    before = np.array([[0.2, 0.2, 0.2, np.nan]], dtype=np.float32)
    after = np.array([[0.5, 0.25, -0.2, 0.1]], dtype=np.float32)
    found = algorithms.change(before, after, 0.1, 0)
    assert found.tolist() == [
        [algorithms.GAIN, algorithms.UNCHANGED, algorithms.LOSS, algorithms.OUTSIDE]
    ]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_smoothing_is_the_mean_of_what_is_known_around(rows, columns, seed, passes):
    rng = np.random.default_rng(seed)
    values = rng.random((rows, columns)).astype(np.float32)
    values[rng.random((rows, columns)) < 0.2] = np.nan
    expected = values
    for _pass in range(passes):
        source, expected = expected, np.full_like(expected, np.nan)
        for row in range(rows):
            for column in range(columns):
                around = source[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
                known = around[np.isfinite(around)]
                if np.isfinite(values[row, column]):
                    expected[row, column] = known.mean()
    np.testing.assert_allclose(algorithms.smoothed(values, passes), expected, rtol=1e-4)


def test_zones_are_measured_by_the_centres_of_pixels(scene):
    part = cut(scene.raster("2026-07-21"), scene.bbox)
    assert part is not None
    square = Affine.scale(1, -1)
    values = np.arange(100, dtype=np.float32).reshape(10, 10)
    values[0, 0] = np.nan
    corner = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, -2], [0, -2], [0, 0]]]}
    away = {"type": "Polygon", "coordinates": [[[50, 0], [52, 0], [52, -2], [50, 0]]]}
    found = algorithms.zone_statistics(
        [{"geometry": corner}, {"geometry": away}],
        values,
        square,
        "EPSG:4326",
        ["mean", "min", "max", "count", "median", "std"],
    )
    known = np.array([1, 10, 11])
    assert found[0]["mean"] == pytest.approx(known.mean(), abs=1e-5)
    assert (found[0]["min"], found[0]["max"], found[0]["count"]) == (1, 11, 3)
    assert found[0]["std"] == pytest.approx(known.std(), abs=1e-5)
    assert found[1] == dict.fromkeys(("mean", "min", "max", "median", "std")) | {"count": 0}


@pytest.mark.parametrize("place", [(14.3, 48.3), (0, 0), (-70, -53), (25, 70)])
@pytest.mark.parametrize("metres", [10, 1000, 50_000])
def test_a_metre_is_a_metre_everywhere(place, metres):
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": place}}
    (ring,) = algorithms.buffered([point], metres, 16, dissolve=False)
    zone = shape(ring["geometry"])
    # Degrees of latitude are 111.1 km, within one per cent on the ellipsoid.
    south, north = zone.bounds[1], zone.bounds[3]
    assert (north - south) * 111_132 == pytest.approx(2 * metres, rel=0.01)
    width = (zone.bounds[2] - zone.bounds[0]) * 111_320 * math.cos(math.radians(place[1]))
    assert width == pytest.approx(2 * metres, rel=0.02)


def test_zones_are_joined_or_vanish():
    points = [
        {"type": "Feature", "properties": {"n": n}, "geometry": {"type": "Point", "coordinates": c}}
        for n, c in enumerate([(14.3, 48.3), (14.3001, 48.3), (14.4, 48.3)])
    ]
    apart = algorithms.buffered(points, 100, 8, dissolve=False)
    assert [zone["properties"] for zone in apart] == [{"n": 0}, {"n": 1}, {"n": 2}]
    (joined,) = algorithms.buffered(points, 100, 8, dissolve=True)
    assert len(shape(joined["geometry"]).geoms) == 2
    square = shape(apart[0]["geometry"])
    small = {"type": "Feature", "geometry": square.__geo_interface__}
    assert algorithms.buffered([small], -500, 8, dissolve=False) == []
