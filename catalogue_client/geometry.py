"""GeoJSON geometries and boxes in degrees, longitude first.

A box is (west, south, east, north); west > east means that it crosses the antimeridian. As a
geometry such a box is cut there (RFC 7946, 3.1.9).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from common.errors import InvalidInput

Box = tuple[float, float, float, float]
Position = tuple[float, float]

MOST_POSITIONS = 100_000
DEEPEST_COLLECTION = 4
# Levels of arrays around one position.
_NESTING = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
KINDS = frozenset({*_NESTING, "GeometryCollection"})
_FEWEST = {"LineString": 2, "MultiLineString": 2, "Polygon": 4, "MultiPolygon": 4}


def checked_box(numbers: Sequence[Any]) -> Box:
    """The box of four numbers (six: the heights are dropped). Raises InvalidInput."""
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(_is_number(n) for n in numbers):
        raise InvalidInput("A box is four numbers: west, south, east, north.", locator="bbox")
    west, south, east, north = (float(n) for n in numbers)
    if not (-90 <= south <= north <= 90) or not all(-180 <= x <= 180 for x in (west, east)):
        raise InvalidInput(
            "A box lies within -180, -90, 180, 90, and its south is not above its north.",
            locator="bbox",
        )
    return west, south, east, north


def polygon(box: Box) -> dict[str, Any]:
    """The box as a geometry: a Polygon, or a MultiPolygon cut at the antimeridian."""
    west, south, east, north = box
    if west <= east:
        return {"type": "Polygon", "coordinates": [_ring(west, south, east, north)]}
    parts = [[_ring(west, south, 180.0, north)], [_ring(-180.0, south, east, north)]]
    return {"type": "MultiPolygon", "coordinates": parts}


def box_of(geometry: Mapping[str, Any]) -> Box | None:
    """The smallest box around a geometry; None for an empty one.

    Parts that meet at ±180 are taken together across the antimeridian when that makes the box
    smaller.
    """
    parts = [_extent(list(part)) for part in _parts(geometry)]
    return union(parts) if parts else None


def union(boxes: Iterable[Box]) -> Box | None:
    """The smallest box around several; None when there is none."""
    every = list(boxes)
    if not every:
        return None
    west, east = _longitudes([(b[0], b[2]) for b in every])
    return west, min(b[1] for b in every), east, max(b[3] for b in every)


def checked(geometry: object) -> dict[str, Any]:
    """The geometry, if it is a GeoJSON geometry in degrees of bounded size. Raises InvalidInput."""
    budget = [MOST_POSITIONS]
    _check(geometry, budget, DEEPEST_COLLECTION)
    return dict(geometry)  # type: ignore[call-overload]


def _check(geometry: object, budget: list[int], depth: int) -> None:
    if not isinstance(geometry, Mapping):
        raise _wrong("it is not an object")
    kind = geometry.get("type")
    if kind == "GeometryCollection":
        members = geometry.get("geometries")
        if not isinstance(members, list) or depth == 0:
            raise _wrong("its collection is not a list, or too deep")
        for member in members:
            _check(member, budget, depth - 1)
        return
    if not isinstance(kind, str) or kind not in _NESTING:
        raise _wrong("its type is unknown")
    _check_nested(geometry.get("coordinates"), _NESTING[kind], budget, _FEWEST.get(kind, 1))


def _check_nested(value: object, levels: int, budget: list[int], fewest: int) -> None:
    if levels == 0:
        budget[0] -= 1
        if budget[0] < 0:
            raise _wrong("it has too many positions")
        _check_position(value)
        return
    if not isinstance(value, list) or (levels == 1 and len(value) < fewest) or not value:
        raise _wrong("its coordinates are not nested as its type asks")
    for member in value:
        _check_nested(member, levels - 1, budget, fewest)


def _check_position(value: object) -> None:
    if not isinstance(value, list) or not 2 <= len(value) <= 4:
        raise _wrong("a position is not two or three numbers")
    if not all(_is_number(n) for n in value):
        raise _wrong("a position is not of numbers")
    if not (-180 <= value[0] <= 180 and -90 <= value[1] <= 90):
        raise _wrong("a position lies outside longitude ±180, latitude ±90")


def _wrong(why: str) -> InvalidInput:
    return InvalidInput(f"The geometry cannot be used: {why}.", locator="geometry")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _parts(geometry: Mapping[str, Any]) -> Iterator[Iterator[Position]]:
    """The positions of each part that is connected in itself."""
    kind, coordinates = geometry["type"], geometry.get("coordinates")
    if kind == "GeometryCollection":
        for member in geometry["geometries"]:
            yield from _parts(member)
    elif kind in ("Point", "LineString") or kind == "Polygon":
        yield _positions(coordinates)
    else:
        for part in coordinates or ():
            yield _positions(part)


def _positions(value: Any) -> Iterator[Position]:
    if value and not isinstance(value[0], list | tuple):
        yield value[0], value[1]
        return
    for member in value:
        yield from _positions(member)


def _extent(positions: list[Position]) -> Box:
    xs, ys = [p[0] for p in positions], [p[1] for p in positions]
    return float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys))


def _longitudes(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """The narrowest span around spans of longitude, across ±180 only where some touch it."""
    plain = min(w for w, _ in spans), max(e for _, e in spans)
    crossing = any(w > e for w, e in spans)
    touching = any(e == 180 for _, e in spans) and any(w == -180 for w, _ in spans)
    if not (crossing or touching):
        return plain
    cut = [piece for span in spans for piece in _cut(span)]
    east_side = [s for s in cut if s[0] >= 0]
    west_side = [s for s in cut if s[0] < 0]
    if not east_side or not west_side or any(e > 0 for _, e in west_side):
        return (-180.0, 180.0) if crossing else plain
    return min(w for w, _ in east_side), max(e for _, e in west_side)


def _cut(span: tuple[float, float]) -> list[tuple[float, float]]:
    west, east = span
    return [span] if west <= east else [(west, 180.0), (-180.0, east)]


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]
