"""A provider's own JSON Schema, in the words that descriptions here may use (schema.yaml)."""

from __future__ import annotations

import json
from typing import Any

Schema = dict[str, Any]

# Words with plain values, those with lists of schemas, and those with one schema inside.
_PLAIN = frozenset(
    {
        *("title", "description", "default", "example", "enum", "type", "format", "nullable"),
        *("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf"),
        *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems"),
        *("maxProperties", "minProperties", "required", "readOnly", "writeOnly", "deprecated"),
        *("contentMediaType", "contentEncoding", "contentSchema"),
    }
)
_LISTS = ("allOf", "oneOf", "anyOf")
_INNER = ("items", "not", "additionalProperties")
_TYPES = frozenset({"array", "boolean", "integer", "number", "object", "string"})
_DEEPEST = 12


def known_schema(text: str) -> Schema | None:
    """The schema without references, which lead to the provider, and without words of other
    dialects; None when there is none."""
    try:
        given = json.loads(text or "null")
    except (ValueError, RecursionError):
        return None
    return _known(given, _DEEPEST) if isinstance(given, dict) else None


def _known(given: Any, deep: int) -> Schema:
    if not isinstance(given, dict) or deep == 0:
        return {}
    schema = _plain(given)
    for word in _LISTS:
        if isinstance(given.get(word), list):
            schema[word] = [_known(one, deep - 1) for one in given[word]]
    for word in _INNER:
        inner = given.get(word)
        if isinstance(inner, dict):
            schema[word] = _known(inner, deep - 1)
        elif isinstance(inner, bool) and word == "additionalProperties":
            schema[word] = inner
    if isinstance(given.get("properties"), dict):
        parts = given["properties"].items()
        schema["properties"] = {str(name): _known(one, deep - 1) for name, one in parts}
    return schema


def _plain(given: dict[str, Any]) -> Schema:
    schema = {word: given[word] for word in _PLAIN & given.keys()}
    for side in ("Maximum", "Minimum"):  # an open bound is a number in later dialects
        word = f"exclusive{side}"
        if word in schema and not isinstance(schema[word], bool):
            schema |= {side.lower(): schema[word], word: True}
    if "type" in schema and str(schema["type"]) not in _TYPES:
        del schema["type"]
    for word in ("enum", "required"):
        if word in schema and not (isinstance(schema[word], list) and schema[word]):
            del schema[word]
    return schema
