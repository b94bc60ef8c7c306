"""JSON Schemas of inputs and outputs (18-062r2 §7.10, table 13) in the portal's words.

A value is literal, a document in one of several formats, or a box. What a schema says beyond that
of JSON documents is kept with the domain (`ComplexDomain.json_schema`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from common.errors import ProviderNonsense
from providers.addresses import foreign, without_own_addresses
from providers.drivers.ogcapi.documents import read, text, texts
from providers.drivers.ogcapi.resolving import JSON, Schema, branches, listed
from providers.ows.descriptions import MOST_OCCURRENCES, format_of
from providers.ports import Endpoint
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    DataType,
    Domain,
    Format,
    LiteralDomain,
    ValueRange,
)

LONGEST_SCHEMA = 50_000

GEOJSON = "application/geo+json"
_FORMATS: dict[str, DataType] = {
    "date": "date",
    "date-time": "dateTime",
    "datetime": "dateTime",
    "time": "time",
    "uri": "anyURI",
    "url": "anyURI",
    "iri": "anyURI",
    "uri-reference": "anyURI",
}
_TYPES: dict[str, DataType] = {"integer": "integer", "number": "double", "boolean": "boolean"}
_LITERAL = frozenset({"string", "boolean", "integer", "number"})
_BINARY = frozenset({"binary", "byte", "base64"})


def domain_of(schema: Schema, endpoint: Endpoint, *, single: bool) -> tuple[Domain, bool]:
    """The domain of a value, and whether a list of such values is meant, which the portal takes as
    several occurrences (only where there is a `single` value otherwise)."""
    choices = branches(schema, "oneOf", "anyOf") or [schema]
    items = [one for choice in choices for one in _items(choice)]
    if single and items and all(_can_occur(one) for one in items):
        return _domain(items, endpoint), True
    if "default" in schema and all(_is_literal(one) for one in choices):
        choices = [{**choices[0], "default": schema["default"]}, *choices[1:]]
    return _domain(choices, endpoint), False


def _items(schema: Schema) -> Iterator[Schema]:
    items = schema.get("items")
    if _type(schema) == "array" and isinstance(items, dict) and not _is_box(schema):
        yield from branches(items, "oneOf", "anyOf") or [items]


def _can_occur(schema: Schema) -> bool:
    """A list of lists is one document."""
    return _type(schema) != "array" and bool(schema)


def occurrences_of(schema: Schema, *, optional: bool) -> tuple[int, int | None]:
    """How many values a list takes."""
    choices = branches(schema, "oneOf", "anyOf") or [schema]
    arrays = [one for one in choices if _type(one) == "array"]
    least = min((_size(one.get("minItems"), 1) for one in arrays), default=1)
    if len(arrays) < len(choices):
        least = min(least, 1)  # the value itself will do, without a list around it
    most = max((_size(one.get("maxItems"), MOST_OCCURRENCES + 1) for one in arrays), default=1)
    low = 0 if optional else max(least, 1)
    return min(low, MOST_OCCURRENCES), max(most, low) if most <= MOST_OCCURRENCES else None


def _size(value: Any, otherwise: int) -> int:
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
    return value if usable else otherwise


def _domain(choices: list[Schema], endpoint: Endpoint) -> Domain:
    for one in choices:
        if _is_box(one):
            return _box(one, endpoint)
    if all(_is_literal(one) for one in choices):
        return _literal(choices)
    formats = [form for one in choices for form in _formats(one, endpoint)]
    kept = [one for one in choices if _is_json(one)]
    schema = kept[0] if len(kept) == 1 else {"oneOf": kept} if kept else {}
    return ComplexDomain(
        tuple(dict.fromkeys(formats)) or ComplexDomain().formats,
        json_schema=_kept(schema, endpoint) if schema else "",
    )


def _type(schema: Schema) -> str:
    """The type; of several the one that is no null, and what a schema without one can only mean."""
    named = [one for one in texts(schema.get("type")) if one != "null"]
    if named:
        return named[0]
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else ""


def _is_box(schema: Schema) -> bool:
    """Said by format, by the standard's own schema, or by its only required member."""
    properties = schema.get("properties")
    reference = text(schema, "$ref").lower().partition("?")[0]
    return (
        text(schema, "format") == "ogc-bbox"
        or re.search(r"(^|[/#])bbox(\.(yaml|yml|json))?$", reference) is not None
        or (isinstance(properties, dict) and isinstance(properties.get("bbox"), dict))
    )


def _box(schema: Schema, endpoint: Endpoint) -> BoundingBoxDomain:
    properties = schema.get("properties")
    crs = properties.get("crs") if isinstance(properties, dict) else None
    if not isinstance(crs, dict):
        return BoundingBoxDomain()
    named = [text(crs, "default"), *texts(crs.get("enum"))]
    kept = dict.fromkeys(one for one in (foreign(name, endpoint) for name in named) if one)
    return BoundingBoxDomain(tuple(kept)) if kept else BoundingBoxDomain()


def _is_literal(schema: Schema) -> bool:
    if _media_types(schema) or _is_binary(schema) or _geojson(schema):
        return False
    values = _enumerated(schema)
    if values:
        return all(isinstance(one, str | int | float) for one in values)
    return _type(schema) in _LITERAL or not schema.keys() - {"title", "description", "default"}


def _enumerated(schema: Schema) -> list[Any]:
    values = [one for one in listed(schema.get("enum")) if one is not None]
    return values or ([schema["const"]] if schema.get("const") is not None else [])


def _literal(choices: list[Schema]) -> LiteralDomain:
    """One domain for each type."""
    default = next((one["default"] for one in choices if "default" in one), None)
    by_type: dict[DataType, list[Schema]] = {}
    for one in choices:
        by_type.setdefault(_literal_type(one), []).append(one)
    domains = [_of_type(kind, every) for kind, every in by_type.items()]
    if LiteralDomain("double") in domains:  # any number: whole ones need no domain of their own
        domains = [one for one in domains if one.data_type != "integer"]
    first, *others = domains
    said = _said(default) if isinstance(default, str | int | float) else None
    return replace(first, default=said, alternatives=tuple(others))


def _of_type(kind: DataType, choices: list[Schema]) -> LiteralDomain:
    values = [_said(value) for one in choices for value in _enumerated(one)]
    bounds = [_range(one) for one in choices if not _enumerated(one)]
    if any(one is None for one in bounds):  # any other value will do as well
        return LiteralDomain(kind)
    ranges = filter(None, bounds)
    return LiteralDomain(kind, tuple(dict.fromkeys(values)), tuple(dict.fromkeys(ranges)))


def _literal_type(schema: Schema) -> DataType:
    kind = _type(schema)
    if kind in _TYPES:
        return _TYPES[kind]
    values = _enumerated(schema)
    if not kind and values and all(isinstance(one, int) for one in values):
        return "boolean" if all(isinstance(one, bool) for one in values) else "integer"
    return _FORMATS.get(text(schema, "format").lower(), "string")


def _said(value: str | float | bool) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _range(schema: Schema) -> ValueRange | None:
    """Bounds, whose exclusiveness is a flag (JSON Schema 4) or a bound of its own (6 and later)."""
    low, open_low = _bound(schema, "minimum", "exclusiveMinimum")
    high, open_high = _bound(schema, "maximum", "exclusiveMaximum")
    step = _number(schema.get("multipleOf"))
    if low is None and high is None and step is None:
        return None
    closure = {
        (False, False): "closed",
        (True, True): "open",
        (True, False): "open-closed",
        (False, True): "closed-open",
    }[open_low, open_high]
    return _on_grid(ValueRange(low, high, closure, step))


def _on_grid(wanted: ValueRange) -> ValueRange:
    """Multiples begin at 0, the steps of a range at its minimum: at the first multiple in it."""
    if wanted.minimum is None or wanted.spacing is None:
        return wanted
    low, step = Decimal(wanted.minimum), Decimal(wanted.spacing)
    try:
        if step <= 0 or low % step == 0:
            return wanted
        first = (low // step + (low > 0)) * step
    except InvalidOperation:  # of which there are more than can be counted
        return replace(wanted, spacing=None)
    closure = {"open": "closed-open", "open-closed": "closed"}.get(wanted.closure, wanted.closure)
    return replace(wanted, minimum=f"{first:f}", closure=closure)


def _bound(schema: Schema, name: str, exclusive: str) -> tuple[str | None, bool]:
    flag = schema.get(exclusive)
    bound = _number(flag)
    if bound is not None:
        return bound, True
    bound = _number(schema.get(name))
    return bound, bound is not None and flag is True


def _number(value: Any) -> str | None:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if numeric else None


def _media_types(schema: Schema) -> list[str]:
    return [one.strip() for one in texts(schema.get("contentMediaType")) if one.strip()]


def _is_binary(schema: Schema) -> bool:
    said = {text(schema, name).lower() for name in ("contentEncoding", "format")}
    return bool(said & _BINARY)


def _geojson(schema: Schema) -> bool:
    return "geojson" in f"{text(schema, 'format')} {text(schema, '$ref')}".lower()


def _is_json(schema: Schema) -> bool:
    """Whether its values are JSON documents, of which the schema says more."""
    media_types = [one.partition(";")[0].lower() for one in _media_types(schema)]
    if media_types:
        return any(one.endswith(("/json", "+json")) for one in media_types)
    return not _is_binary(schema) and not _is_literal(schema)


def _formats(schema: Schema, endpoint: Endpoint) -> Iterator[Format]:
    encoding = "base64" if _is_binary(schema) else ""
    described = text(schema, "contentSchema")
    media_types = _media_types(schema)
    for media_type in media_types:
        yield format_of(media_type, encoding, described, endpoint)
    if not media_types:
        if _geojson(schema):
            yield Format(GEOJSON)
        elif encoding:
            yield Format("application/octet-stream", encoding)
        else:
            yield Format("text/plain" if _is_literal(schema) else JSON)


def _kept(schema: Schema, endpoint: Endpoint) -> str:
    """The schema as text, without addresses of the provider; "" when it is too long or deep."""
    length, pieces = 0, []
    try:
        for piece in json.JSONEncoder(ensure_ascii=False).iterencode(schema):
            pieces.append(piece)
            length += len(piece)
            if length > LONGEST_SCHEMA:
                return ""
        whole = read("".join(pieces).encode())
    except (RecursionError, ProviderNonsense):
        return ""
    return json.dumps(_cleaned(whole, endpoint), ensure_ascii=False)


def _cleaned(value: Any, endpoint: Endpoint) -> Any:
    """No deeper than documents are read at all."""
    if isinstance(value, dict):
        inner = {k: v for k, v in value.items() if k != "$ref" or _may_stay(v, endpoint)}
        return {without_own_addresses(k, endpoint): _cleaned(v, endpoint) for k, v in inner.items()}
    if isinstance(value, list):
        return [_cleaned(one, endpoint) for one in value]
    return without_own_addresses(value, endpoint) if isinstance(value, str) else value


def _may_stay(reference: Any, endpoint: Endpoint) -> bool:
    """A reference that leads somewhere, and not to the provider."""
    return (
        isinstance(reference, str)
        and reference.startswith(("http://", "https://"))
        and foreign(reference, endpoint) != ""
    )
