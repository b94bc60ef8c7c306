"""What descriptions of OGC API processes mean: schemas, occurrences, units."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.drivers.ogcapi.describe import parse_description
from providers.drivers.ogcapi.execute import execute_document
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    ExecuteRequest,
    Format,
    LiteralDomain,
    LiteralValue,
    ValueRange,
)
from tests.providers import readers
from tests.providers.documents import HERE

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@pytest.mark.parametrize(
    ("schema", "domain"),
    [
        ({"type": "string"}, LiteralDomain()),
        ({}, LiteralDomain()),
        ({"type": "string", "enum": ["a", "b"], "default": "a"},
         LiteralDomain(allowed_values=("a", "b"), default="a")),
        ({"enum": [1, 2]}, LiteralDomain("integer", allowed_values=("1", "2"))),
        ({"type": "number", "minimum": 0, "maximum": 10, "exclusiveMinimum": True},
         LiteralDomain("double", ranges=(ValueRange("0", "10", "open-closed"),))),
        ({"type": "number", "exclusiveMaximum": 1.5, "multipleOf": 0.5},
         LiteralDomain("double", ranges=(ValueRange(None, "1.5", "closed-open", "0.5"),))),
        ({"type": "string", "format": "date-time"}, LiteralDomain("dateTime")),
        ({"type": "string", "format": "uri"}, LiteralDomain("anyURI")),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, LiteralDomain("double")),
        ({"oneOf": [{"type": "integer", "minimum": 1}, {"enum": ["auto"]}], "default": "auto"},
         LiteralDomain("integer", ranges=(ValueRange("1"),), default="auto",
                       alternatives=(LiteralDomain(allowed_values=("auto",)),))),
        ({"oneOf": [{"type": "integer", "maximum": 0}, {"type": "integer", "enum": [5, 7]}]},
         LiteralDomain("integer", ("5", "7"), (ValueRange(None, "0"),))),
        ({"type": "integer", "multipleOf": 5},
         LiteralDomain("integer", ranges=(ValueRange(None, None, "closed", "5"),))),
        ({"type": "integer", "multipleOf": 5, "minimum": 12, "maximum": 20},
         LiteralDomain("integer", ranges=(ValueRange("15", "20", "closed", "5"),))),
        ({"type": "number", "multipleOf": 0.5, "exclusiveMinimum": -1.2},
         LiteralDomain("double", ranges=(ValueRange("-1.0", None, "closed", "0.5"),))),
        ({"allOf": [{"format": "ogc-bbox"}, {"$ref": "../../openapi/schemas/bbox.yaml"}]},
         BoundingBoxDomain()),
        ({"$ref": "https://schemas.example.net/bbox.yaml"}, BoundingBoxDomain()),
        ({"type": "object", "properties": {"bbox": {"type": "array"}, "crs": {"enum": [CRS84]}}},
         BoundingBoxDomain((CRS84,))),
        ({"type": "string", "contentMediaType": "image/tiff", "contentEncoding": "binary"},
         ComplexDomain((Format("image/tiff", "base64"),))),
        ({"type": "string", "format": "byte"},
         ComplexDomain((Format("application/octet-stream", "base64"),))),
        ({"oneOf": [{"type": "string", "contentMediaType": "application/gml+xml",
                     "contentSchema": "http://schemas.example.net/g.xsd"},
                    {"allOf": [{"format": "geojson-geometry"}]}]},
         ComplexDomain((Format("application/gml+xml", "", "http://schemas.example.net/g.xsd"),
                        Format("application/geo+json")),
                       json_schema='{"format": "geojson-geometry"}')),
        ({"type": "object", "required": ["a"]},
         ComplexDomain((Format("application/json"),),
                       json_schema='{"type": "object", "required": ["a"]}')),
        ({"$ref": "#/definitions/n", "definitions": {"n": {"type": "integer"}}},
         LiteralDomain("integer")),
    ],
)  # fmt: skip
def test_what_a_schema_means(schema: dict[str, Any], domain: object) -> None:
    document = {"id": "p", "inputs": {"i": {"schema": schema}}, "outputs": {"o": {}}}
    (process,) = parse_description(json.dumps(document).encode(), HERE).found.values()
    assert process.inputs[0].domain == domain


@pytest.mark.parametrize(
    ("described", "low", "high", "domain"),
    [
        ({"schema": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 5}},
         2, 5, LiteralDomain("integer")),
        ({"schema": {"type": "array", "items": {"type": "string"}}, "minOccurs": 0},
         0, None, LiteralDomain()),
        ({"schema": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"},
                                                    "maxItems": 3}]}},
         1, 3, LiteralDomain()),
        ({"schema": {"type": "string"}, "minOccurs": 2, "maxOccurs": "unbounded"},
         2, None, LiteralDomain()),
        ({"schema": {"type": "array", "items": {"type": "array"}}}, 1, 1,
         ComplexDomain((Format("application/json"),),
                       json_schema='{"type": "array", "items": {"type": "array"}}')),
    ],
)  # fmt: skip
def test_how_many_values(
    described: dict[str, Any], low: int, high: int | None, domain: object
) -> None:
    document = {"id": "p", "inputs": {"i": described}}
    (process,) = parse_description(json.dumps(document).encode(), HERE).found.values()
    (one,) = process.inputs
    assert (one.min_occurs, one.max_occurs, one.domain) == (low, high, domain)


@pytest.mark.parametrize(
    ("said", "units"),
    [
        (
            {"metadata": [{"title": "m", "role": "uom"}, {"title": "ft", "role": "a/uom"}]},
            ("m", "ft"),
        ),
        ({"schema": {"type": "number", "x-ogc-unit": "km"}}, ("km",)),
        ({"schema": None, "literalDataDomains": [{"dataType": "float", "uom": "m"}]}, ("m",)),
        ({"schema": {"type": "number", "x-ogc-unit": {}}, "metadata": {"role": "uom"}}, ()),
        ({"schema": {"type": "object", "x-ogc-unit": "km"}}, None),
    ],
)
def test_units_are_read_where_servers_write_them(
    said: dict[str, Any], units: tuple[str, ...] | None
) -> None:
    """The first is what a bare number is in, and then only the number is sent."""
    document = {"id": "p", "inputs": {"x": {"schema": {"type": "number"}, **said}}}
    (process,) = parse_description(json.dumps(document).encode(), HERE).found.values()
    (given,) = process.inputs
    assert getattr(given.domain, "uoms", None) == units
    assert given.metadata == ()
    for unit in units or ():
        request = ExecuteRequest("p", (LiteralValue("x", "2", uom=unit),))
        sent = json.loads(execute_document(process, request))["inputs"]["x"]
        assert sent == (2 if unit == units[0] else {"value": 2, "uom": unit})


def test_the_official_description() -> None:
    data = readers.samples("ProcessDescription.json")
    if not data:
        pytest.skip("shared schemas are absent")
    (process,) = parse_description(next(iter(data.values())), HERE).found.values()
    kinds = {one.identifier: one.domain.kind for one in process.inputs}
    assert kinds == {
        "stringInput": "literal",
        "measureInput": "complex",
        "dateInput": "literal",
        "doubleInput": "literal",
        "arrayInput": "literal",
        "complexObjectInput": "complex",
        "geometryInput": "complex",
        "boundingBoxInput": "bbox",
        "imagesInput": "complex",
        "featureCollectionInput": "complex",
    }
    assert len(process.outputs) == 10
