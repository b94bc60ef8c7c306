"""GeoJSON in and out of the demo's processes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from pywps import Format
from pywps.app.exceptions import ProcessError
from shapely.errors import GEOSException
from shapely.geometry import shape

GEOJSON = Format("application/geo+json", extension=".geojson")
MOST_FEATURES = 5000
KINDS = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def features_of(given: Any, kinds: Sequence[str] = KINDS) -> list[dict[str, Any]]:
    """The features of a complex input. Raises ProcessError with what is wrong."""
    try:
        document = json.loads(given.data)
    except (ValueError, TypeError, RecursionError):
        raise ProcessError("The input is not GeoJSON: it is not JSON.") from None
    features = _features(document)
    if not features:
        raise ProcessError("The GeoJSON has no features.")
    if len(features) > MOST_FEATURES:
        raise ProcessError(f"The GeoJSON has more than {MOST_FEATURES} features.")
    for number, feature in enumerate(features, 1):
        fault = _fault(feature, kinds)
        if fault:
            raise ProcessError(f"Feature {number} of the GeoJSON: {fault}.")
    return features


def compact(features: Iterable[dict[str, Any]]) -> str:
    """A FeatureCollection that may stand in XML as it is: PyWPS pastes it without escaping."""
    text = json.dumps({"type": "FeatureCollection", "features": list(features)})
    return harmless(text)


def harmless(text: str) -> str:
    """JSON without characters that mean something in XML; the same value to every JSON reader."""
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _features(document: Any) -> list[Any]:
    if not isinstance(document, dict):
        return []
    if document.get("type") == "FeatureCollection":
        found = document.get("features")
        return list(found) if isinstance(found, list) else []
    if document.get("type") == "Feature":
        return [document]
    if document.get("type") in KINDS:
        return [{"type": "Feature", "properties": {}, "geometry": document}]
    return []


def _fault(feature: Any, kinds: Sequence[str]) -> str:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict) or geometry.get("type") not in kinds:
        return f"the geometry is none of {', '.join(kinds)}"
    properties = feature.get("properties")
    if properties is not None and not isinstance(properties, dict):
        return "the properties are no object"
    try:
        drawn = shape(geometry)
        bounds = drawn.bounds
    except (GEOSException, ValueError, TypeError, IndexError, KeyError, AttributeError):
        return "the coordinates cannot be read"
    if drawn.is_empty or not all(map(math.isfinite, bounds)):
        return "the geometry is empty"
    west, south, east, north = bounds
    if west < -180 or east > 180 or south < -90 or north > 90:  # noqa: PLR2004 (degrees)
        return "the coordinates are not longitude and latitude in degrees"
    return ""
