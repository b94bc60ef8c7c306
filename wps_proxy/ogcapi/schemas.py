"""Inputs and outputs as JSON Schema, in the words of OpenAPI 3.0 (18-062r2 §9.2 and schema.yaml).

What a schema cannot say (units, lists of values elsewhere) is in the description's metadata.
"""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from common.ows import CRS84
from providers.literals import kinds, union
from providers.process import (
    BoundingBoxDomain,
    ComplexDomain,
    Domain,
    Format,
    LiteralDomain,
    Metadata,
    ValueRange,
)
from wps_proxy.ogcapi.foreign import Schema, known_schema
from wps_proxy.ogcapi.place import Link

CRS84_URI = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_URN = "urn:ogc:def:crs:"
_TYPES: dict[str, Schema] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "double": {"type": "number", "format": "double"},
    "date": {"type": "string", "format": "date"},
    "dateTime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "anyURI": {"type": "string", "format": "uri"},
}
_TEXTS = ("json", "xml", "javascript", "yaml", "csv", "wkt")


def schema_of(domain: Domain) -> Schema:
    """The schema of one value."""
    if isinstance(domain, LiteralDomain):
        return _literal(domain)
    if isinstance(domain, ComplexDomain):
        return _complex(domain)
    return _box(domain)


def metadata_of(domain: Domain | None, metadata: tuple[Metadata, ...]) -> list[Link]:
    """What a provider says besides, with the units and the place of a list of values."""
    found = [
        {"title": one.title, "role": one.role, "href": one.href}
        for one in metadata
        if one.title or one.href
    ]
    if isinstance(domain, LiteralDomain):
        found += [{"title": unit, "role": "uom"} for unit in union(domain).uoms]
        if domain.values_reference:
            found.append({"href": domain.values_reference, "role": "values"})
    return [{name: value for name, value in one.items() if value} for one in found]


def is_json(media_type: str) -> bool:
    """Whether a value of that media type is written into a document as it is."""
    return _bare(media_type).endswith(("/json", "+json"))


def is_text(form: Format) -> bool:
    """Whether a value of that format is carried as text; anything else as base64."""
    kind = _bare(form.media_type)
    if form.encoding.lower() == "base64":
        return False
    return kind.startswith("text/") or kind.endswith(_TEXTS)


def crs_uri(crs: str) -> str:
    """The reference system as the API names it: the URI, of the same axis order."""
    if crs.strip().lower() in ("", CRS84.lower(), "crs84", "ogc:crs84", "epsg:4326"):
        return CRS84_URI
    if crs.lower().startswith(_URN):
        parts = crs[len(_URN) :].split(":")
        if len(parts) == 3:  # noqa: PLR2004 (authority, version, code)
            authority, version, code = parts
            return f"http://www.opengis.net/def/crs/{authority}/{version or '0'}/{code}"
    return crs


def typed(data_type: str, text: str) -> Any:
    """A literal as JSON has it; the text itself when it is not what its type says."""
    try:
        if data_type == "integer":
            return int(text)
        if data_type == "double":
            number = float(text)
            return number if math.isfinite(number) else text
        if data_type == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text.strip().lower()]
    except (ValueError, KeyError):
        pass
    return text


def _literal(domain: LiteralDomain) -> Schema:
    """Of several kinds exactly one has to match, unless a value may be of two."""
    every = kinds(domain)
    if len(every) == 1:
        return _of_kind(domain)
    forms = [_of_kind(replace(one, default=None)) for one in every]
    of_json = {one["type"].replace("integer", "number") for one in forms}
    schema: Schema = {"oneOf" if len(of_json) == len(forms) else "anyOf": forms}
    return {**schema, **_default(domain)}


def _of_kind(domain: LiteralDomain) -> Schema:
    schema: Schema = dict(_TYPES[domain.data_type])
    choices: list[Schema] = []
    if domain.allowed_values:
        choices.append({"enum": [typed(domain.data_type, one) for one in domain.allowed_values]})
    choices += [bounds for one in domain.ranges if (bounds := _bounds(domain, one))]
    if len(choices) == 1:
        schema.update(choices[0])
    elif choices:
        schema["anyOf"] = choices
    return {**schema, **_default(domain)}


def _default(domain: LiteralDomain) -> Schema:
    if domain.default is None:
        return {}
    return {"default": typed(domain.data_type, domain.default)}


def _bounds(domain: LiteralDomain, wanted: ValueRange) -> Schema:
    """A range of numbers; schemas know none of dates and texts, which the portal checks itself."""
    schema: Schema = {}
    if domain.data_type not in ("integer", "double"):
        return schema
    for side, text, opened in (
        ("minimum", wanted.minimum, ("open", "open-closed")),
        ("maximum", wanted.maximum, ("open", "closed-open")),
    ):
        bound = typed(domain.data_type, text) if text else None
        if isinstance(bound, int | float):
            schema[side] = bound
            if wanted.closure in opened:
                schema[f"exclusive{side.capitalize()}"] = True
    return {**schema, **_step(domain, wanted)}


def _step(domain: LiteralDomain, wanted: ValueRange) -> Schema:
    """A grid as multiples, which begin at 0; the portal checks others itself."""
    step = typed(domain.data_type, wanted.spacing) if wanted.spacing else None
    if not isinstance(step, int | float) or step <= 0:
        return {}
    try:
        on_grid = Decimal(wanted.minimum or 0) % Decimal(str(step)) == 0
    except InvalidOperation:  # no number, or too many steps away to count them
        return {}
    return {"multipleOf": step} if on_grid else {}


def _complex(domain: ComplexDomain) -> Schema:
    forms = [_format(domain, one) for one in dict.fromkeys(domain.formats)]
    return forms[0] if len(forms) == 1 else {"oneOf": forms}


def _format(domain: ComplexDomain, form: Format) -> Schema:
    if is_json(form.media_type) and is_text(form):
        schema = known_schema(domain.json_schema) or {"type": "object"}
        return {**schema, "contentMediaType": form.media_type, **_content_schema(form)}
    schema = {"type": "string", "contentMediaType": form.media_type, **_content_schema(form)}
    if not is_text(form):
        schema |= {"format": "byte", "contentEncoding": "base64"}
    elif form.encoding:
        schema["contentEncoding"] = form.encoding
    return schema


def _content_schema(form: Format) -> Schema:
    return {"contentSchema": form.schema} if form.schema else {}


def _box(domain: BoundingBoxDomain) -> Schema:
    """The form that clients look for is the first part, what is in it the second."""
    uris = list(dict.fromkeys(crs_uri(one) for one in domain.crss))
    corners = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
    crs = {"type": "string", "format": "uri", "default": uris[0], "enum": uris}
    return {
        "allOf": [
            {"format": "ogc-bbox"},
            {"type": "object", "required": ["bbox"], "properties": {"bbox": corners, "crs": crs}},
        ]
    }


def _bare(media_type: str) -> str:
    return media_type.split(";", maxsplit=1)[0].strip().lower()
