"""The official schemas of OGC API – Processes 1.0, and our own definition, as validators.

Three faults of the official files are read as what they mean (README beside them): `oneOf` of plain
values means any of them; a reference is no schema besides; only CRS84 is listed for boxes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator

from tests.wps_proxy.schemas import FOLDER
from wps_proxy.ogcapi.definition import _template

OFFICIAL = FOLDER / "ogcapi-processes-1.0" / "schemas"
_ANY = ("inputValueNoObject.yaml", "inputValue.yaml", "inlineOrRefData.yaml", "schema.yaml")


@cache
def official(name: str) -> dict[str, Any]:
    """One official schema as definitions that refer to each other inside one document."""
    found: dict[str, Any] = {}
    for path in OFFICIAL.glob("*.yaml"):
        schema = yaml.safe_load(path.read_text())
        if path.name in _ANY:
            schema["anyOf"] = schema.pop("oneOf")
        if path.name == "schema.yaml":
            schema = _with_any(schema)
        if path.name == "bbox.yaml":
            del schema["properties"]["crs"]["enum"]
        if path.name == "transmissionMode.yaml":
            del schema["default"]
        found[path.name] = _inside(schema)
    return {"$ref": f"#/definitions/{name}", "definitions": found}


def valid(document: Any, name: str) -> None:
    """Check a document against an official schema (`statusInfo.yaml`)."""
    if not OFFICIAL.is_dir():
        pytest.skip("shared schemas are absent")
    errors = [f"{list(e.path)}: {e.message[:300]}" for e in _validator(name).iter_errors(document)]
    assert not errors, errors[:5]


def fits(document: Any, operation: str, status: int) -> None:
    """Check a JSON answer against our own API definition (`getStatus`)."""
    template = _template()
    found = next(
        one
        for item in template["paths"].values()
        for one in item.values()
        if one["operationId"] == operation
    )
    assert str(status) in found["responses"], f"{operation} does not tell of {status}"
    answer = found["responses"][str(status)]
    if "$ref" in answer:
        answer = template["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    schema = answer["content"]["application/json"]["schema"]
    validator = OAS30Validator({**schema, "components": template["components"]})
    errors = [f"{list(e.path)}: {e.message[:300]}" for e in validator.iter_errors(document)]
    assert not errors, errors[:5]


@cache
def _validator(name: str) -> OAS30Validator:
    return OAS30Validator(official(name))


def _with_any(schema: Any) -> Any:
    """`anyOf` in place of `oneOf`; the description of the word itself stays."""
    if isinstance(schema, dict):
        return {
            ("anyOf" if name == "oneOf" and isinstance(one, list) else name): _with_any(one)
            for name, one in schema.items()
        }
    return [_with_any(one) for one in schema] if isinstance(schema, list) else schema


def _inside(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            k: f"#/definitions/{v.rpartition('/')[2]}"
            if k == "$ref" and isinstance(v, str)
            else _inside(v)
            for k, v in schema.items()
        }
    return [_inside(one) for one in schema] if isinstance(schema, list) else schema
