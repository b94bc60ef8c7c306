"""GeoJSON files from elsewhere: their box, or a clear refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalogue_client import geometry as geo
from catalogue_client import vector
from common.errors import InvalidInput


def collection(*geometries: Any) -> dict[str, Any]:
    features = [{"type": "Feature", "properties": {}, "geometry": g} for g in geometries]
    return {"type": "FeatureCollection", "features": features}


POINT = {"type": "Point", "coordinates": [14.5, 40.5]}


@pytest.mark.parametrize(
    ("document", "box"),
    [
        (POINT, (14.5, 40.5, 14.5, 40.5)),
        (collection(POINT, None, geo.polygon((10, 40, 12, 41))), (10, 40, 14.5, 41)),
        (collection(geo.polygon((179, 0, -179, 1))), (179, 0, -179, 1)),
        (
            collection(
                geo.polygon((170, 0, -170, 1)), {"type": "Point", "coordinates": [160, 5, 9]}
            ),
            (160, 0, -170, 5),
        ),
    ],
)
def test_the_box_of_a_vector_file(tmp_path: Path, document: Any, box: Any) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(document))
    assert vector.bbox(path) == box


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", '{"type": "FeatureCollection"}',
        '{"type": "FeatureCollection", "features": []}',
        json.dumps(collection({"type": "Point", "coordinates": [430_000, 4_540_000]})),
        json.dumps(collection({"type": "Point", "coordinates": ["a", 1]})),
        json.dumps(collection({"type": "Polygon", "coordinates": [1, 2]})),
        json.dumps(collection({"type": "Blob"})), '{"type": "Point", "coordinates": [NaN, 1]}',
        "[" * 100_000, '{"a":' * 50_000,
    ],
)  # fmt: skip
def test_what_is_no_geojson_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_text(text)
    with pytest.raises(InvalidInput):
        vector.bbox(path)


def test_a_vector_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    with path.open("wb") as file:
        file.truncate(vector.MOST_BYTES + 1)
    with pytest.raises(InvalidInput, match="too large"):
        vector.bbox(path)
