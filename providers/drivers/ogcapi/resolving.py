"""Schemas as providers give them, made into one form: references within the schema followed, what
drafts before 1.0 said in other words said as a schema."""

from __future__ import annotations

import re
from typing import Any

from providers.drivers.ogcapi.documents import text

Schema = dict[str, Any]

MOST_BRANCHES = 100
MOST_NESTED = 8  # references and combinations inside each other
MOST_RESOLVED = 500  # parts of one schema: references may lead in circles

JSON = "application/json"


def whole_schema(said: Schema) -> Schema:
    """The schema of an input or output: local references followed, `allOf` merged."""
    schema = said.get("schema")
    return _Resolver(schema).whole(schema) if isinstance(schema, dict) else _of_draft(said)


class _Resolver:
    """Puts in place what a schema refers to inside itself, as often as is sensible."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.left = MOST_RESOLVED

    def whole(self, schema: Schema, nested: int = MOST_NESTED) -> Schema:
        self.left -= 1
        if self.left <= 0 or not nested:
            return schema
        merged: Schema = {k: v for k, v in schema.items() if k != "allOf"}
        found = self._found(schema.get("$ref"))
        if found is not None:
            rest = {k: v for k, v in merged.items() if k != "$ref"}
            merged = {**self.whole(found, nested - 1), **rest}
        for part in branches(schema, "allOf"):
            merged = {**self.whole(part, nested - 1), **merged}
        for name in ("oneOf", "anyOf"):
            if name in merged:
                merged[name] = [self.whole(one, nested - 1) for one in branches(merged, name)]
        return merged

    def _found(self, reference: Any) -> Schema | None:
        """What a local reference leads to."""
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return None
        found: Any = self.root
        for step in reference[2:].split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else None


def branches(schema: Schema, *names: str) -> list[Schema]:
    """The schemas in members that are lists of them."""
    found = [one for name in names for one in listed(schema.get(name)) if isinstance(one, dict)]
    return found[:MOST_BRANCHES]


def listed(value: Any) -> list[Any]:
    """The value if it is a list, else none."""
    return value if isinstance(value, list) else []


def _of_draft(said: Schema) -> Schema:
    """What drafts before 1.0 said in other words, as a schema."""
    formats = [one for one in listed(said.get("formats")) if isinstance(one, dict)]
    if formats:
        ordered = sorted(formats, key=lambda one: one.get("default") is not True)
        return {
            "oneOf": [
                {
                    "type": "string",
                    "contentMediaType": text(one, "mediaType", "mimeType") or JSON,
                    "contentEncoding": text(one, "encoding"),
                    "contentSchema": text(one, "schema"),
                }
                for one in ordered
            ]
        }
    if isinstance(said.get("supportedCRS"), list) or isinstance(said.get("bbox"), dict):
        named = [text(one, "crs") for one in branches(said, "supportedCRS")]
        return {"format": "ogc-bbox", "properties": {"crs": {"enum": named}}}
    domains = branches(said, "literalDataDomains") or branches(said, "literalDataDomain")
    return _draft_literal(domains[0]) if domains else {"type": text(said, "type") or "string"}


def _draft_literal(domain: Schema) -> Schema:
    kind = domain.get("dataType")
    named = text(kind, "name", "reference") if isinstance(kind, dict) else str(kind or "")
    word = re.split(r"[^a-z]", named.lower())[-1]
    types = {"integer": "integer", "int": "integer", "boolean": "boolean", "bool": "boolean"}
    types |= dict.fromkeys(("float", "double", "decimal", "number"), "number")
    schema: Schema = {"type": types.get(word, "string")}
    values = domain.get("valueDefinition", domain.get("allowedValues"))
    if isinstance(values, list) and all(isinstance(one, str | int | float) for one in values):
        schema["enum"] = values
    unit = domain.get("uom")
    if isinstance(unit, dict | str):
        schema["x-ogc-unit"] = text(unit, "name", "reference") if isinstance(unit, dict) else unit
    if "defaultValue" in domain:
        schema["default"] = domain["defaultValue"]
    return schema
