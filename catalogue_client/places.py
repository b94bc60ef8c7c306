"""Where items lie, asked through the database's spatial index, and refined with exact geometry.

SQLite has an R*Tree beside the items' table that triggers keep; PostgreSQL a GiST index over boxes
and periods that needs no extension. Both find a little too much (SQLite's numbers are short,
PostgreSQL's boxes have a tolerance, a box over the antimeridian is taken as wide as the world):
whoever asks them asks the columns as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import shapely
from django.db.models import BooleanField, F, Func, Q, TextField
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from catalogue_client import geometry as geo
from catalogue_client.geometry import Box
from common.errors import InvalidInput

TREE = "catalogue_client_item_place"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# As the index has it, word for word: else PostgreSQL does not use it.
BOX = (
    "box(point(CASE WHEN {crosses} THEN 180.0::double precision ELSE {east} END, {north}),"
    " point(CASE WHEN {crosses} THEN (-180.0)::double precision ELSE {west} END, {south}))"
)
PERIOD = "tstzrange({start}, {end}, '[]')"
_COLUMNS = ("west", "south", "east", "north", "crosses_antimeridian", "start", "end")
OPERATORS = ("intersects", "disjoint", "within", "contains", "touches", "crosses", "overlaps")


class Near(Func):
    """Whether the index says that an item may lie in the box (not over ±180) and the period."""

    output_field = BooleanField()

    def __init__(self, box: Box | None, start: datetime | None, end: datetime | None) -> None:
        super().__init__(F("pk"), *map(F, _COLUMNS), box=box, start=start, end=end)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        key, _ = compiler.compile(self.source_expressions[0])
        conditions: list[str] = []
        parameters: list[float] = []
        if self.extra["box"]:
            west, south, east, north = self.extra["box"]
            conditions += ["west <= %s", "east >= %s", "south <= %s", "north >= %s"]
            parameters += [east, west, north, south]
        for moment, condition in (("end", "first <= %s"), ("start", "last >= %s")):
            if self.extra[moment]:
                conditions.append(condition)
                parameters.append((self.extra[moment] - EPOCH).total_seconds() / 86400)
        found = f"SELECT id FROM {TREE} WHERE {' AND '.join(conditions)}"  # noqa: S608 (constants)
        return f"{key} IN ({found})", parameters

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        columns = [compiler.compile(source)[0] for source in self.source_expressions[1:]]
        named = dict(zip(("west", "south", "east", "north", "crosses"), columns[:5], strict=True))
        conditions: list[str] = []
        parameters: list[Any] = []
        if self.extra["box"]:
            west, south, east, north = self.extra["box"]
            conditions.append(BOX.format(**named) + " && box(point(%s, %s), point(%s, %s))")
            parameters += [east, north, west, south]
        if self.extra["start"] or self.extra["end"]:
            period = PERIOD.format(start=columns[5], end=columns[6])
            conditions.append(f"{period} && tstzrange(%s, %s, '[]')")
            parameters += [self.extra["start"], self.extra["end"]]
        return f"({' AND '.join(conditions)})", parameters


class GeometryText(Func):
    """The geometry of the document as GeoJSON text."""

    output_field = TextField()

    def __init__(self) -> None:
        super().__init__(F("document"))

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"JSON_EXTRACT({column}, '$.geometry')", parameters

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"({column} -> 'geometry')::text", parameters


def near(boxes: Sequence[Box], start: datetime | None, end: datetime | None) -> Q:
    """What the index finds in any of the boxes (none: everywhere) and the period."""
    places: Sequence[Box | None] = [part for box in boxes for part in _parts(box)] or [None]
    if places == [None] and start is None and end is None:
        return Q()
    found = Q()
    for place in places:
        found |= Q(Near(place, start, end))
    return found


def meets(box: Box) -> Q:
    """Items whose box meets this one exactly; either may cross the antimeridian."""
    west, south, east, north = box
    if west > east:
        return meets((west, south, 180.0, north)) | meets((-180.0, south, east, north))
    left, right = Q(west__lte=east), Q(east__gte=west)
    plain = Q(crosses_antimeridian=False) & left & right
    crossing = Q(crosses_antimeridian=True) & (left | right)
    return Q(south__lte=north, north__gte=south) & (plain | crossing)


def shape_of(geometry: object) -> BaseGeometry:
    """A GeoJSON geometry for exact questions, repaired if its rings cross. Raises InvalidInput."""
    try:
        made = shape(geo.checked(geometry))
        return made if made.is_valid else shapely.make_valid(made)
    except (shapely.errors.ShapelyError, ValueError) as error:
        raise InvalidInput("The geometry cannot be used.", locator="geometry") from error


def shapes_of(texts: Iterable[str]) -> list[BaseGeometry | None]:
    """Geometries that were stored; None for one that cannot be made (a ring without an area)."""
    return [
        made if made is None or made.is_valid else shapely.make_valid(made)
        for made in shapely.from_geojson(list(texts), on_invalid="ignore")
    ]


def box_around(made: BaseGeometry) -> Box:
    """The smallest box; of an empty geometry the point at 0, 0, which then excludes the rest."""
    if made.is_empty:
        return 0.0, 0.0, 0.0, 0.0
    west, south, east, north = made.bounds
    return float(west), float(south), float(east), float(north)


def _parts(box: Box) -> list[Box]:
    west, south, east, north = box
    if west <= east:
        return [box]
    return [(west, south, 180.0, north), (-180.0, south, east, north)]
