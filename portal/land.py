"""The outline of the continents as one small picture, for locator maps on cards."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

Point = tuple[float, float]
HALF_WAY = 180  # degrees


def land_svg(topology: dict[str, Any]) -> str:
    """An SVG of 360 × 180 units (plate carrée) from the `land` object of a quantised TopoJSON."""
    arcs = [_decode(arc, topology["transform"]) for arc in topology["arcs"]]
    geometries = topology["objects"]["land"]["geometries"]
    rings = [ring for g in geometries for polygon in _polygons(g) for ring in polygon]
    path = "".join(
        _path([point for index in ring for point in _arc(arcs, index)]) for ring in rings
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 180">'
        f'<path fill="#000" fill-rule="evenodd" d="{path}"/></svg>\n'
    )


def _decode(arc: list[list[int]], transform: dict[str, list[float]]) -> list[Point]:
    """Positions in degrees: TopoJSON keeps the differences of integers."""
    (scale_x, scale_y), (move_x, move_y) = transform["scale"], transform["translate"]
    columns = accumulate(step[0] for step in arc)
    rows = accumulate(step[1] for step in arc)
    return [
        (x * scale_x + move_x, y * scale_y + move_y) for x, y in zip(columns, rows, strict=True)
    ]


def _polygons(geometry: dict[str, Any]) -> list[Any]:
    return geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]


def _arc(arcs: list[list[Point]], index: int) -> list[Point]:
    """An arc by its index; ~index is the same one backwards."""
    return arcs[index] if index >= 0 else arcs[~index][::-1]


def _path(ring: list[Point]) -> str:
    """A ring as path data; the pen is lifted where it jumps from one edge to the other."""
    steps: list[str] = []
    before = ring[0][0]
    for lon, lat in ring:
        pen = "L" if steps and abs(lon - before) < HALF_WAY else "M"
        steps.append(f"{pen}{180 + lon:.1f} {90 - lat:.1f}")
        before = lon
    return "".join(steps) + "Z"
