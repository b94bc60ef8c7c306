"""Reads the shapes of KML and of GML 2 to 3.2, however they are nested."""

from __future__ import annotations

from typing import Any

import numpy as np
from lxml import etree

from catalogue_client.raster_child.refusal import RefusalError
from catalogue_client.raster_child.shapes import (
    LINE,
    LONLAT,
    POINT,
    POLYGON,
    Shapes,
    reference_system,
)

_POLYGONS = ("Polygon", "PolygonPatch", "Triangle", "Rectangle")
_LINES = ("LineString", "LineStringSegment", "LinearRing")
_POSITIONS = ("posList", "pos", "coordinates")


def read(data: bytes, shapes: Shapes) -> None:
    """Add what a document holds; positions without a reference system are degrees, as in KML."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    _Document(etree.fromstring(data, parser), shapes).read()


class _Document:
    """A tree, and what is known of the reference systems that it names."""

    def __init__(self, root: Any, shapes: Shapes) -> None:
        self.root = root
        self.shapes = shapes
        self.known: dict[str, tuple[str, bool]] = {"": (LONLAT, False)}
        # Where a geometry names none, that of the envelope around all of them holds.
        envelopes = (e.get("srsName") for e in root.iter("{*}Envelope", "{*}Box"))
        self.default = next((name for name in envelopes if name), "")

    def read(self) -> None:
        """Every shape once: what is in a polygon is no line of its own."""
        stack = [(self.root, self.default, 2)]
        while stack:
            element, system, dimension = stack.pop()
            system = element.get("srsName") or system
            dimension = int(element.get("srsDimension") or dimension)
            name = _name(element)
            if name in _POLYGONS:
                self._add(POLYGON, element, system, dimension)
            elif name in _LINES:
                self._add(LINE, element, system, dimension)
            elif name == "Point":
                self._add(POINT, element, system, dimension)
            elif name not in ("Envelope", "Box"):
                stack += [(child, system, dimension) for child in element]

    def _add(self, kind: str, element: Any, system: str, dimension: int) -> None:
        if kind == POLYGON:
            parts = [self._positions(ring, dimension) for ring in element.iter("{*}LinearRing")]
        else:
            parts = [self._positions(element, dimension)]
        if system not in self.known:
            self.known[system] = reference_system(system)
        crs, north_first = self.known[system]
        parts = [part[:, [1, 0]] if north_first else part for part in parts if len(part)]
        self.shapes.add(kind, parts, crs)

    def _positions(self, element: Any, dimension: int) -> np.ndarray:
        found = []
        for child in element.iter():
            if _name(child) in _POSITIONS:
                size = int(child.get("srsDimension") or dimension)
                found.append(_numbers(_name(child), child.text or "", size))
        return np.concatenate(found) if found else np.empty((0, 2))


def _numbers(name: str, text: str, dimension: int) -> np.ndarray:
    if name == "coordinates":  # tuples apart by spaces, numbers in them by commas
        rows = [[float(number) for number in row.split(",")[:2]] for row in text.split()]
        return np.array(rows).reshape(-1, 2)
    numbers = np.array(text.split(), "float64")
    if dimension not in (2, 3) or len(numbers) % dimension:
        if len(numbers) % 3 or name == "posList":
            raise RefusalError("damaged", "positions of a wrong length")
        dimension = 3  # a pos with a height that nothing announces
    return numbers.reshape(-1, dimension)[:, :2]


def _name(element: Any) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
