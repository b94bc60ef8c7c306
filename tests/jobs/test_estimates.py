"""The quantities that a quote is made of."""

from __future__ import annotations

import pytest

from jobs.estimates.counting import EARTH_RADIUS_M, area_m2


def test_the_globe_and_its_halves() -> None:
    globe = area_m2((-180, -90, 180, 90))
    assert globe == pytest.approx(4 * 3.141592653589793 * EARTH_RADIUS_M**2)
    assert area_m2((-180, 0, 180, 90)) == pytest.approx(globe / 2)


def test_across_the_antimeridian_is_the_small_box() -> None:
    assert area_m2((179, -1, -179, 1)) == pytest.approx(area_m2((10, -1, 12, 1)), rel=1e-9)


def test_one_degree_at_the_equator_is_about_12364_km2() -> None:
    assert area_m2((0, 0, 1, 1)) == pytest.approx(12_364e6, rel=1e-3)
