"""How much of each unit a run will take at most: the quantities that a quote is made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from accounting.models import Unit
from common.ows import to_lonlat_bbox
from providers.models import Service
from providers.process import BoundingBoxValue, ComplexValue, InputValue, ReferenceValue

EARTH_RADIUS_M = 6_371_008.8  # mean radius (IUGG)

Quantities = dict[str, tuple[int, str]]


def quantities(service: Service, inputs: Sequence[InputValue]) -> Quantities:
    """Unit → (quantity in the smallest unit, where the figure comes from).

    Time is what the provider declared a run to take at most; area and products are counted on the
    inputs, so they are known and not estimated.
    """
    wall, cpu = service.expected_wall_seconds, service.expected_cpu_seconds
    products = sum(isinstance(v, ComplexValue | ReferenceValue) for v in inputs)
    return {
        Unit.JOB: (1, "one run"),
        Unit.WALL_HOUR: (wall, f"at most {wall} s expected by the provider"),
        Unit.WALL_CORE_HOUR: (wall, f"at most {wall} s on one core expected by the provider"),
        Unit.CPU_CORE_HOUR: (cpu, f"at most {cpu} s of CPU expected by the provider"),
        Unit.AREA_KM2: (_area(inputs), "area of the box"),
        Unit.PRODUCT_IN: (products, "files and references given"),
    }


def _area(inputs: Iterable[InputValue]) -> int:
    return sum(
        area_m2(to_lonlat_bbox(v.lower, v.upper, v.crs))
        for v in inputs
        if isinstance(v, BoundingBoxValue)
    )


def area_m2(bbox: tuple[float, float, float, float]) -> int:
    """Area of a box west, south, east, north (degrees) on the sphere, in m², rounded up.

    A box whose west is greater than its east crosses the antimeridian.
    """
    west, south, east, north = bbox
    width = math.radians(east - west if east >= west else east - west + 360)
    height = math.sin(math.radians(north)) - math.sin(math.radians(south))
    return math.ceil(EARTH_RADIUS_M**2 * width * abs(height))
