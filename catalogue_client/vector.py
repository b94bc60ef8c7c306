"""Looking into vector files that came from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from catalogue_client import geometry as geo
from common.errors import InvalidInput

MOST_BYTES = 32 * 2**20


def bbox(path: Path) -> geo.Box:
    """The box around everything in a GeoJSON file, in degrees.

    Raises InvalidInput for a file that is too large, is not GeoJSON in longitude and latitude, or
    is empty.
    """
    if path.stat().st_size > MOST_BYTES:
        raise InvalidInput(_("The GeoJSON file is too large to be looked into."))
    try:
        document = json.loads(path.read_bytes())
        boxes = [geo.box_of(geo.checked(g)) for g in _geometries(document)]
    except (ValueError, RecursionError):
        raise InvalidInput(_("The file is not valid GeoJSON.")) from None
    found = geo.union(box for box in boxes if box)
    if found is None:
        raise InvalidInput(_("The GeoJSON file has no geometry."))
    return found


def _geometries(document: Any) -> Iterator[Any]:
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "FeatureCollection" and isinstance(document.get("features"), list):
        for feature in document["features"]:
            yield from _geometries(feature)
    elif kind == "Feature":
        if document.get("geometry") is not None:
            yield document["geometry"]
    elif kind in geo.KINDS:
        yield document
    else:
        raise InvalidInput(_("The file is not valid GeoJSON."))
