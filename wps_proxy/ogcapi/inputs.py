"""The inputs of an execute request (18-062r2 §7.11.2): from JSON to the values of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from common.xml import text_ok
from jobs import values
from jobs.validation import PLAIN_FORMATS, validate_inputs
from providers.literals import kinds
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
    ProcessDescription,
    ReferenceValue,
)
from providers.quotation import INPUT as QUOTATION
from wps_proxy.ogcapi.schemas import is_json, is_text

CORNERS = (4, 6)  # numbers of a box in two or three dimensions
LARGEST = 1e300  # JSON has larger integers, floats do not
MOST_CHARACTERS = 2000  # of a media type, a unit, an address
# An object of these alone says how a value is written, or where it is, and has none in it.
_ABOUT = frozenset(
    {"type", "mediaType", "encoding", "schema", "format", "rel", "title", "hreflang", "uom"}
)


def inputs_of(process: ProcessDescription, document: Mapping[str, Any]) -> tuple[InputValue, ...]:
    """The values; whether the process takes them is checked again where they are used.

    Raises InvalidInput with everything that is wrong, by input.
    """
    errors: dict[str, list[str]] = {}
    found: list[InputValue] = []
    for identifier, given in document.items():
        wanted = process.input(identifier)
        try:
            if wanted is not None:
                found += [_value(wanted, one) for one in _occurrences(wanted, given)]
            elif identifier == QUOTATION:
                found.append(_literal(identifier, LiteralDomain("boolean"), given))
            else:
                errors[identifier] = [_("The process has no input of this name.")]
        except InvalidInput as error:
            errors[identifier] = [error.detail]
    if errors:
        raise _all_of(process, found, errors)
    return tuple(found)


def short_text(given: Mapping[str, Any], name: str) -> str:
    """A member that is a short text, "" when it is not there. Raises InvalidInput."""
    value = given.get(name, "")
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS or not text_ok(value):
        raise InvalidInput(_("“%(name)s” is a short text.") % {"name": name})
    return value


def only_known(given: Mapping[str, Any], known: frozenset[str]) -> None:
    """Raises InvalidInput for a member that nothing would be made of."""
    unknown = sorted(given.keys() - known)
    if unknown:
        raise InvalidInput(
            _('There is no member “%(name)s” here. A document is given as {"value": …}.')
            % {"name": unknown[0][:100]}
        )


def format_of(given: Mapping[str, Any]) -> Format:
    """The format that a qualified value, a link or an output names. Raises InvalidInput."""
    inner = given.get("format")
    if isinstance(inner, dict):
        given = {**given, **inner}
    return Format(
        short_text(given, "mediaType") or short_text(given, "type"),
        short_text(given, "encoding"),
        short_text(given, "schema"),
    )


def _all_of(
    process: ProcessDescription, found: list[InputValue], errors: dict[str, list[str]]
) -> InvalidInput:
    """What could not be read, and what is wrong with the rest, in one error."""
    try:
        validate_inputs(process, found)
    except InvalidInput as more:
        errors = {**more.errors, **errors}
    first = next(iter(errors))
    return InvalidInput(errors[first][0], locator=first, errors=errors)


def _occurrences(wanted: InputDescription, given: Any) -> list[Any]:
    """An array is several values, except where one value is an array: a box, a JSON document."""
    if not isinstance(given, list):
        return [given]
    if isinstance(wanted.domain, BoundingBoxDomain) and len(given) in CORNERS:
        return [{"bbox": given}] if all(_is_number(one) for one in given) else given
    if isinstance(wanted.domain, ComplexDomain) and wanted.max_occurs == 1:
        takes_json = any(is_json(one.media_type) for one in wanted.domain.formats)
        qualified = given and all(
            isinstance(o, dict) and {"value", "href"} & o.keys() for o in given
        )
        return given if qualified or not takes_json else [{"value": given}]
    return given


def _value(wanted: InputDescription, given: Any) -> InputValue:
    if given is None:
        raise InvalidInput(_("A value is required."))
    if isinstance(given, dict) and "href" in given:
        only_known(given, _ABOUT | {"href"})
        form = format_of(given)
        return ReferenceValue(
            wanted.identifier,
            short_text(given, "href"),
            form.media_type,
            form.encoding,
            form.schema,
        )
    if isinstance(wanted.domain, LiteralDomain):
        return _literal(wanted.identifier, wanted.domain, given)
    if isinstance(wanted.domain, BoundingBoxDomain):
        return _box(wanted.identifier, given)
    return _complex(wanted.identifier, wanted.domain, given)


def _literal(identifier: str, domain: LiteralDomain, given: Any) -> LiteralValue:
    uom = ""
    if isinstance(given, dict):
        only_known(given, _ABOUT | {"value"})
        if format_of(given).media_type not in ("", *PLAIN_FORMATS):
            raise InvalidInput(_("A plain value has no other format than text."))
        uom, given = short_text(given, "uom"), given.get("value")
    kind = values.json_type(given)
    if isinstance(given, bool):
        given = "true" if given else "false"
    whole = any(one.data_type == "integer" for one in kinds(domain))
    if isinstance(given, float) and given.is_integer() and whole:
        given = int(given)  # 5.0 is an integer to JSON Schema
    if not isinstance(given, str | int | float):
        raise InvalidInput(_("This input takes a plain value: a text, a number, true or false."))
    return LiteralValue(identifier, str(given), kind, uom)


def _box(identifier: str, given: Any) -> BoundingBoxValue:
    if isinstance(given, dict) and "value" in given:
        given = given["value"]
    if isinstance(given, list):
        given = {"bbox": given}
    if isinstance(given, dict):
        only_known(given, frozenset({"bbox", "crs"}))
    numbers = given.get("bbox") if isinstance(given, dict) else None
    if (
        not isinstance(numbers, list)
        or len(numbers) not in CORNERS
        or not all(_is_number(one) for one in numbers)
    ):
        raise InvalidInput(
            _('A box is {"bbox": [four numbers: the lower corner, the upper one], "crs": …}.')
        )
    half = len(numbers) // 2
    corners = tuple(float(one) for one in numbers)
    return BoundingBoxValue(identifier, corners[:half], corners[half:], short_text(given, "crs"))


def _complex(identifier: str, domain: ComplexDomain, given: Any) -> ComplexValue:
    form = Format("")
    if isinstance(given, dict):
        if "value" in given:
            only_known(given, _ABOUT | {"value"})
            form, given = format_of(given), given["value"]
        elif given.keys() <= _ABOUT:
            raise InvalidInput(_('An object is given as {"value": …}, an address as {"href": …}.'))
    if given is None:
        raise InvalidInput(_("A value is required."))
    if not isinstance(given, str):
        named = form.media_type or _first_json(domain)
        return ComplexValue(identifier, _dumped(given), named, form.encoding, form.schema)
    if not form.media_type:
        form = _form_that_fits(identifier, domain, given, form)
    return _text(identifier, domain, given, form)


def _text(identifier: str, domain: ComplexDomain, given: str, form: Format) -> ComplexValue:
    """A text; of a binary format it is base64 of the bytes (18-062r2 §7.11.2.6)."""
    encoding = form.encoding
    known = next((one for one in domain.formats if one.media_type == form.media_type), form)
    if not encoding and not is_text(known):
        encoding = "base64"
    return ComplexValue(identifier, given, form.media_type, encoding, form.schema)


def _form_that_fits(identifier: str, domain: ComplexDomain, given: str, form: Format) -> Format:
    """The first format of the process that the bare text is a value of; else its default."""
    for one in domain.formats:
        named = Format(one.media_type, form.encoding, form.schema)
        value = _text(identifier, domain, given, named)
        if is_json(one.media_type) and given.lstrip()[:1] not in ("{", "["):
            continue
        try:
            values.complex_data(one.media_type, value)
        except InvalidInput:
            continue
        return named
    return Format(domain.formats[0].media_type, form.encoding, form.schema)


def _first_json(domain: ComplexDomain) -> str:
    named = (one.media_type for one in domain.formats if is_json(one.media_type))
    return next(named, domain.formats[0].media_type)


def _dumped(given: Any) -> str:
    try:
        return json.dumps(given, ensure_ascii=False)
    except RecursionError:
        raise InvalidInput(_("This is nested too deeply.")) from None


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < LARGEST
