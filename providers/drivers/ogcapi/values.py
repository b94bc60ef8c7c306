"""Values of outputs in JSON (inlineOrRefData.yaml, qualifiedInputValue.yaml, bbox.yaml)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from providers.drivers.ogcapi.documents import log, text
from providers.process import (
    BoundingBoxValue,
    ComplexValue,
    InputValue,
    LiteralValue,
    ReferenceValue,
)

JSON = "application/json"
LONGEST_LITERAL = 10_000
BOX = (4, 6)  # numbers in one

# Members of a value with its format, and what servers add to it.
_QUALIFIED = frozenset(
    ("value", "mediaType", "mimeType", "encoding", "schema", "format", "id", "title", "dataType")
) | {"uom", "type", "description", "transmissionMode", "data", "identifier"}


def values_of(identifier: str, said: Any, base: str) -> Iterator[InputValue]:
    """The value, or several of a list whose members each say what they are."""
    each = isinstance(said, list) and bool(said) and all(map(is_qualified, said))
    found = [_value(identifier, one, base) for one in (said if each else [said])]
    for value in found:
        if value is None:
            log.warning("provider.output_without_value", identifier=identifier[:200])
        else:
            yield value


def is_qualified(said: Any) -> bool:
    if not isinstance(said, dict):
        return False
    return "href" in said or "bbox" in said or ("value" in said and not said.keys() - _QUALIFIED)


def _value(identifier: str, said: Any, base: str) -> InputValue | None:
    if isinstance(said, dict):
        return _member(identifier, said, base)
    if isinstance(said, list):
        return _document(identifier, said)
    return _plain(identifier, said)


def _plain(identifier: str, said: Any) -> InputValue | None:
    if said is None:
        return None
    if not isinstance(said, str):
        return LiteralValue(identifier, json.dumps(said))
    if len(said) <= LONGEST_LITERAL:
        return LiteralValue(identifier, said)
    return ComplexValue(identifier, said, "text/plain")


def _member(identifier: str, said: dict[str, Any], base: str) -> InputValue | None:
    href = said.get("href")
    if isinstance(href, str) and href:
        return _reference(identifier, said, href, base)
    box = _box(identifier, said)
    if box is not None:
        return box
    if "data" in said and "value" not in said:  # Weaver, before 1.0
        said = {**said, "value": said["data"]}
    if is_qualified(said) and "value" in said:
        return _qualified(identifier, said, base)
    return _document(identifier, said)


def _document(identifier: str, value: Any, media_type: str = JSON) -> ComplexValue:
    return ComplexValue(identifier, json.dumps(value, ensure_ascii=False), media_type)


def _reference(identifier: str, said: dict[str, Any], href: str, base: str) -> InputValue | None:
    try:
        complete = href if "://" in href else urljoin(base, href)
    except ValueError:
        return None
    return ReferenceValue(identifier, complete, text(said, "type", "mediaType", "mimeType"))


def _qualified(identifier: str, said: dict[str, Any], base: str) -> InputValue | None:
    """A value with its format; `type` beside a value names its media type on some servers."""
    value = said["value"]
    given = said.get("format")
    form: dict[str, Any] = {**(given if isinstance(given, dict) else {}), **said}
    kind = text(form, "type")
    media_type = text(form, "mediaType", "mimeType") or (kind if "/" in kind else "")
    encoding = text(form, "encoding")
    schema = form.get("schema")
    if isinstance(value, dict | list):
        if isinstance(value, dict) and is_qualified(value) and "value" not in value:
            return _value(identifier, value, base)
        return _document(identifier, value, media_type or JSON)
    if not isinstance(value, str) or not (media_type or encoding):
        literal = _value(identifier, value, base)
        uom = text(said, "uom")
        return replace(literal, uom=uom) if isinstance(literal, LiteralValue) and uom else literal
    binary = encoding.lower() in ("base64", "binary")
    return ComplexValue(
        identifier,
        value,
        media_type,
        "base64" if binary else encoding,
        schema if isinstance(schema, str) else "",
    )


def _box(identifier: str, said: dict[str, Any]) -> BoundingBoxValue | None:
    numbers = said.get("bbox")
    if (
        not isinstance(numbers, list)
        or len(numbers) not in BOX
        or not all(
            isinstance(n, int | float) and not isinstance(n, bool) and abs(n) < 1e30  # noqa: PLR2004
            for n in numbers
        )
    ):
        return None
    half = len(numbers) // 2
    corners = tuple(map(float, numbers))
    return BoundingBoxValue(identifier, corners[:half], corners[half:], text(said, "crs"))
