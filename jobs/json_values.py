"""The values of a run as JSON, guided by the process description.

`{"threshold": 0.4, "area": {"bbox": [7, 46, 8, 47]}, "parcels": [{"href": "https://…"}, …]}`: one
value, or a list of them where an input may occur several times.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from jobs.values import json_type
from providers.process import (
    BoundingBoxDomain,
    BoundingBoxValue,
    ComplexDomain,
    ComplexValue,
    Format,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
)

CORNERS = (4, 6)  # numbers of a box in two or three dimensions
LARGEST = 1e300  # JSON has larger integers, floats do not
DEEPEST = 100  # levels that an answer may add around a document


def inputs_from_json(
    description: ProcessDescription, document: Mapping[str, Any]
) -> tuple[InputValue, ...]:
    """The values in the document; whether the process takes them is checked when they are used.

    Raises InvalidInput with every input that has a form which no value has.
    """
    errors: dict[str, list[str]] = {}
    found: list[InputValue] = []
    for identifier, given in document.items():
        wanted = description.input(identifier)
        if wanted is None:
            errors[identifier] = [_("The process has no input of this name.")]
            continue
        try:
            found += [_value(wanted, one) for one in _occurrences(wanted, given)]
        except InvalidInput as error:
            errors[identifier] = [error.detail]
    if errors:
        first = next(iter(errors))
        raise InvalidInput(errors[first][0], locator=first, errors=errors)
    return tuple(found)


def outputs_from_json(document: Mapping[str, Mapping[str, Any]]) -> tuple[OutputRequest, ...]:
    """The outputs asked for, by identifier, each with an optional `mediaType`."""
    return tuple(
        OutputRequest(
            identifier,
            as_reference=bool(wanted.get("reference", False)),
            format=Format(str(wanted["mediaType"])) if wanted.get("mediaType") else None,
        )
        for identifier, wanted in document.items()
    )


def json_or_text(text: str) -> Any:
    """The document that a text is; the text itself where it is none, or none that can be written
    again: with numbers that JSON has no word for, or nested too deeply."""
    try:
        found = json.loads(text, parse_constant=_finite, parse_float=_finite)
        if text.count("[") + text.count("{") > DEEPEST:
            inside: Any = found
            for _level in range(DEEPEST):
                inside = [inside]
            json.dumps(inside)
    except (ValueError, RecursionError):
        return text
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def value_to_json(value: InputValue) -> Any:
    """One value in the form that `inputs_from_json` reads."""
    if isinstance(value, LiteralValue):
        return {"value": value.value, "uom": value.uom} if value.uom else value.value
    if isinstance(value, BoundingBoxValue):
        return {"bbox": [*value.lower, *value.upper], "crs": value.crs}
    if isinstance(value, ReferenceValue):
        return _without_empty(
            href=value.href,
            mediaType=value.media_type,
            encoding=value.encoding,
            schema=value.schema,
        )
    return _without_empty(
        value=value.data, mediaType=value.media_type, encoding=value.encoding, schema=value.schema
    )


def inputs_to_json(values: Sequence[InputValue]) -> dict[str, Any]:
    """All values by input; a list where an input occurs several times."""
    document: dict[str, Any] = {}
    for value in values:
        one = value_to_json(value)
        if value.identifier in document:
            earlier = document[value.identifier]
            document[value.identifier] = [
                *(earlier if isinstance(earlier, list) else [earlier]),
                one,
            ]
        else:
            document[value.identifier] = one
    return document


def _occurrences(wanted: InputDescription, given: Any) -> list[Any]:
    """A list is several values, except four or six numbers where a box is wanted."""
    if not isinstance(given, list):
        return [given]
    numbers = all(_is_number(one) for one in given)
    if isinstance(wanted.domain, BoundingBoxDomain) and numbers and len(given) in CORNERS:
        return [{"bbox": given}]
    return given


def _value(wanted: InputDescription, given: Any) -> InputValue:
    if isinstance(given, dict) and "href" in given:
        return ReferenceValue(wanted.identifier, _text(given, "href"), **_format(given))
    if isinstance(wanted.domain, ComplexDomain):
        return _complex(wanted.identifier, given)
    if isinstance(given, dict) and "bbox" in given:
        return _box(wanted.identifier, given)
    if isinstance(wanted.domain, LiteralDomain):
        return _literal(wanted.identifier, given)
    raise InvalidInput(_('Give a box as {"bbox": [west, south, east, north]}.'))


def _literal(identifier: str, given: Any) -> LiteralValue:
    uom = ""
    if isinstance(given, dict):
        uom, given = _text(given, "uom"), given.get("value")
    kind = json_type(given)
    if isinstance(given, bool):
        given = "true" if given else "false"
    if not isinstance(given, str | int | float):
        raise InvalidInput(_("This input takes a plain value: a text, a number, true or false."))
    return LiteralValue(identifier, str(given), kind, uom)


def _complex(identifier: str, given: Any) -> ComplexValue:
    details: dict[str, str] = {}
    if isinstance(given, dict) and "value" in given:
        details, given = _format(given), given["value"]
    if given is None:
        raise InvalidInput(_("A value is required."))
    data = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return ComplexValue(identifier, data, **details)


def _box(identifier: str, given: Mapping[str, Any]) -> BoundingBoxValue:
    numbers = given["bbox"]
    if (
        not isinstance(numbers, list)
        or len(numbers) not in CORNERS
        or not all(_is_number(one) for one in numbers)
    ):
        raise InvalidInput(_("A box is a list of four numbers: the lower corner, the upper one."))
    half = len(numbers) // 2
    corners = tuple(float(one) for one in numbers)
    return BoundingBoxValue(identifier, corners[:half], corners[half:], _text(given, "crs"))


def _format(given: Mapping[str, Any]) -> dict[str, str]:
    return {
        "media_type": _text(given, "mediaType") or _text(given, "type"),
        "encoding": _text(given, "encoding"),
        "schema": _text(given, "schema"),
    }


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise InvalidInput(_("“%(name)s” is a text.") % {"name": name})
    return value


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < LARGEST


def _without_empty(**fields: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
