"""GeoJSON geometries as well-known text, longitude first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 1200  # characters, as it has to fit into an address


def wkt(geometry: Mapping[str, Any]) -> str:
    """The text; "" for a collection, and for one that is too long to be sent."""
    coordinates = geometry.get("coordinates")
    if coordinates is None:
        return ""
    kind = str(geometry["type"])
    inner = _nested(coordinates)
    text = f"{kind.upper()}({inner})" if kind == "Point" else f"{kind.upper()}{inner}"
    return text if len(text) <= MOST else ""


def _nested(value: Any) -> str:
    if not isinstance(value[0], list | tuple):
        return f"{value[0]:.7g} {value[1]:.7g}"
    return "(" + ",".join(_nested(one) for one in value) + ")"
