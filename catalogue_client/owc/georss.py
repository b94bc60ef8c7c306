"""Places in Atom: georss with GML 3.1, latitude first, and the older short forms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from catalogue_client import geometry as geo
from catalogue_client.owc.markup import Element
from common.errors import InvalidInput
from common.xml import GEORSS, GML

NAMESPACES = (GEORSS, "http://www.georss.org/georss/10")
# Reference systems whose coordinates are latitude and longitude in degrees.
_DEGREES = ("4326", "CRS84", "4258", "WGS84", "4979")


class NotDegreesError(Exception):
    """The place is given in another reference system."""


def read(element: Element) -> dict[str, Any]:
    """The geometry of a georss element, longitude first.

    Raises NotDegreesError for a projected place, InvalidInput for what cannot be understood.
    """
    name = etree.QName(element).localname
    if name == "where":
        shapes = [child for child in element if isinstance(child.tag, str)]
        if not shapes:
            raise InvalidInput("The place is empty.", locator="where")
        found = [_gml(shape) for shape in shapes]
        whole = found[0] if len(found) == 1 else {"type": "GeometryCollection", "geometries": found}
        return geo.checked(whole)
    return geo.checked(_short(name, _pairs(element.text)))


def write(parent: Element, geometry: Mapping[str, Any]) -> bool:
    """Add georss:where; whether it says all of the geometry.

    The grammar holds one point, line, ring or envelope: holes, several parts and heights do not
    fit. Then the envelope is written, from which a reader has at least the extent.
    """
    kind: str = geometry["type"]
    coordinates: Any = geometry.get("coordinates")
    where = etree.SubElement(parent, f"{{{GEORSS}}}where")
    if kind == "Point":
        shape = etree.SubElement(where, _gml_name("Point"))
        _leaf(shape, "pos", [coordinates])
    elif kind == "LineString":
        shape = etree.SubElement(where, _gml_name("LineString"))
        _leaf(shape, "posList", coordinates)
    elif kind == "Polygon" and len(coordinates) == 1:
        ring = _inside(where, "Polygon", "exterior", "LinearRing")
        _leaf(ring, "posList", coordinates[0])
    else:
        west, south, east, north = geo.box_of(geometry) or (-180.0, -90.0, 180.0, 90.0)
        envelope = etree.SubElement(where, _gml_name("Envelope"))
        _leaf(envelope, "lowerCorner", [(west, south)])
        _leaf(envelope, "upperCorner", [(east, north)])
        return dict(geometry) == geo.polygon((west, south, east, north))
    return _flat(coordinates)


def _gml(shape: Element) -> dict[str, Any]:
    system = next((str(v) for k, v in shape.attrib.items() if str(k) == "srsName"), "")
    if system and not any(name in system for name in _DEGREES):
        raise NotDegreesError
    name = etree.QName(shape).localname
    lists = [_pairs(e.text) for e in shape.iter() if _local(e) in ("pos", "posList", "coordinates")]
    if name == "Envelope":
        corners = [p for e in shape if _local(e).endswith("Corner") for p in _pairs(e.text)]
        return _short("box", corners)
    if name == "Polygon" and lists:
        return {"type": "Polygon", "coordinates": [_closed(ring) for ring in _rings(shape)]}
    if name == "LineString":
        return {"type": "LineString", "coordinates": [p for part in lists for p in part]}
    if name == "Point" and lists:
        return _short("point", lists[0])
    raise InvalidInput("This kind of geometry is not understood.", locator=name)


def _rings(polygon: Element) -> list[list[list[float]]]:
    rings = [e for e in polygon.iter() if _local(e) == "LinearRing"]
    return [[p for e in ring.iter() if e is not ring for p in _pairs(e.text)] for ring in rings]


def _short(name: str, pairs: list[list[float]]) -> dict[str, Any]:
    if name == "box" and len(pairs) == 2:
        (west, south), (east, north) = pairs
        return geo.polygon(geo.checked_box((west, south, east, north)))
    if name == "point" and len(pairs) == 1:
        return {"type": "Point", "coordinates": pairs[0]}
    if name == "line":
        return {"type": "LineString", "coordinates": pairs}
    if name == "polygon":
        return {"type": "Polygon", "coordinates": [_closed(pairs)]}
    raise InvalidInput("The place is not understood.", locator=name)


def _pairs(text: str | None) -> list[list[float]]:
    """Positions of latitude and longitude, turned around."""
    try:
        numbers = [float(word) for word in (text or "").replace(",", " ").split()]
    except ValueError:
        raise InvalidInput("A place has numbers only.", locator="where") from None
    if len(numbers) % 2 or not all(map(math.isfinite, numbers)):
        raise InvalidInput("A place has pairs of numbers.", locator="where")
    return [
        [_plain(lon), _plain(lat)] for lat, lon in zip(numbers[::2], numbers[1::2], strict=True)
    ]


def _plain(number: float) -> float:
    return int(number) if number.is_integer() else number


def _closed(ring: list[list[float]]) -> list[list[float]]:
    return ring if not ring or ring[0] == ring[-1] else [*ring, ring[0]]


def _flat(coordinates: Any) -> bool:
    """Whether no position has a height."""
    if coordinates and not isinstance(coordinates[0], list | tuple):
        return len(coordinates) == 2
    return all(_flat(member) for member in coordinates)


def _leaf(parent: Element, name: str, positions: Any) -> None:
    leaf = etree.SubElement(parent, _gml_name(name))
    leaf.text = " ".join(f"{_number(p[1])} {_number(p[0])}" for p in positions)


def _number(value: float) -> str:
    """Without an exponent, which xsd:decimal does not know."""
    return format(Decimal(repr(value)), "f")


def _inside(parent: Element, *names: str) -> Element:
    for name in names:
        parent = etree.SubElement(parent, _gml_name(name))
    return parent


def _gml_name(name: str) -> str:
    return f"{{{GML}}}{name}"


def _local(element: Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
