"""Check the values of a run against its process description, before anything is priced or sent."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from common.xml import undeclared
from jobs import values
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
    OutputRequest,
    ProcessDescription,
    ReferenceValue,
    ValueRange,
)

MOST_VALUES = 1000
PLAIN_FORMATS = ("text/plain", "text/xml", "application/xml", "application/json")
TEXT_ENCODINGS = ("", "utf-8", "utf8")


def validate_inputs(
    description: ProcessDescription, inputs: Sequence[InputValue]
) -> tuple[InputValue, ...]:
    """The values to send, with defaults filled in and formats named, in the process's order.

    Raises InvalidInput: `errors` says what is wrong by input identifier, `locator` is the first of
    them, `missing` whether that one is missing.
    """
    if len(inputs) > MOST_VALUES:
        raise InvalidInput(_("There are too many values."))
    given: dict[str, list[InputValue]] = defaultdict(list)
    for value in inputs:
        given[value.identifier].append(value)
    errors: dict[str, list[str]] = {}
    missing = set()
    checked: list[InputValue] = []
    for wanted in description.inputs:
        found = given.pop(wanted.identifier, []) or _default(wanted)
        if len(found) < wanted.min_occurs:
            missing.add(wanted.identifier)
            errors[wanted.identifier] = [_too_few(wanted, len(found))]
            continue
        try:
            checked += _occurrences(wanted, found)
        except InvalidInput as error:
            errors[wanted.identifier] = [error.detail]
    for unknown in given:
        errors[unknown] = [_("The process has no input of this name.")]
    if errors:
        first = next(iter(errors))
        raise InvalidInput(errors[first][0], locator=first, missing=first in missing, errors=errors)
    return tuple(checked)


def validate_outputs(
    description: ProcessDescription, outputs: Sequence[OutputRequest]
) -> tuple[OutputRequest, ...]:
    """The outputs to ask for; none asked for means all of them. Raises InvalidInput."""
    seen = set()
    for wanted in outputs:
        known = description.output(wanted.identifier)
        if known is None:
            raise InvalidInput(
                _("The process has no output of this name."), locator=wanted.identifier
            )
        if wanted.identifier in seen:
            raise InvalidInput(_("This output is asked for twice."), locator=wanted.identifier)
        seen.add(wanted.identifier)
        if wanted.format is not None and isinstance(known.domain, ComplexDomain):
            _known_format(known.domain, wanted.format, wanted.identifier)
        elif wanted.format is not None:
            _plain_format(wanted.format, wanted.identifier)
    return tuple(outputs)


def _plain_format(wanted: Format, locator: str) -> None:
    """Values and boxes are told as text, or in the words of the standard that asks."""
    encoded = wanted.encoding.lower() not in TEXT_ENCODINGS
    if encoded or wanted.schema or _bare(wanted.media_type) not in ("", *PLAIN_FORMATS):
        raise InvalidInput(
            _("The format must be one of %(formats)s.") % {"formats": ", ".join(PLAIN_FORMATS)},
            locator=locator,
        )


def _default(wanted: InputDescription) -> list[InputValue]:
    """A literal that is required but has a default is sent with it: what runs is what is shown."""
    domain = wanted.domain
    if wanted.min_occurs and isinstance(domain, LiteralDomain) and domain.default is not None:
        return [LiteralValue(wanted.identifier, domain.default)]
    return []


def _too_few(wanted: InputDescription, found: int) -> str:
    if found == 0:
        return _("A value is required.")
    return _("At least %(n)s values are required.") % {"n": wanted.min_occurs}


def _occurrences(wanted: InputDescription, found: Sequence[InputValue]) -> list[InputValue]:
    if wanted.max_occurs is not None and len(found) > wanted.max_occurs:
        raise InvalidInput(_("At most %(n)s values are allowed.") % {"n": wanted.max_occurs})
    return [_check(wanted, value) for value in found]


def _check(wanted: InputDescription, value: InputValue) -> InputValue:
    domain = wanted.domain
    if isinstance(domain, LiteralDomain) and isinstance(value, LiteralValue):
        return _literal(domain, value)
    if isinstance(domain, ComplexDomain) and isinstance(value, ComplexValue):
        return _complex(domain, value)
    if isinstance(domain, ComplexDomain) and isinstance(value, ReferenceValue):
        return _reference(domain, value)
    if isinstance(domain, BoundingBoxDomain) and isinstance(value, BoundingBoxValue):
        return _bbox(domain, value)
    kinds = {
        "literal": _("a plain value"),
        "complex": _("a document, a file or an address"),
        "bbox": _("a bounding box"),
    }
    raise InvalidInput(_("This input takes %(kind)s.") % {"kind": kinds[domain.kind]})


def _literal(domain: LiteralDomain, value: LiteralValue) -> LiteralValue:
    """The value as the first of the domains takes it; one of the type that it was given as is asked
    before others."""
    every = kinds(domain)
    if len(every) == 1:
        return _of_kind(domain, value)
    given_as = value.data_type.rpartition(":")[2]
    near = (given_as, "double") if given_as == "integer" else (given_as,)
    for one in sorted(every, key=lambda one: one.data_type not in near):
        with suppress(InvalidInput):
            return _of_kind(one, value)
    what = _(" or ").join(dict.fromkeys(filter(None, map(_kind, every))))
    raise InvalidInput(_("This value is not allowed: %(what)s.") % {"what": what})


def _kind(domain: LiteralDomain) -> str:
    """A domain in words, among others."""
    unit = f" [{', '.join(domain.uoms)}]" if domain.uoms else ""
    return f"{domain.data_type}{unit} {_choices(domain)}".strip()


def _of_kind(domain: LiteralDomain, value: LiteralValue) -> LiteralValue:
    text = values.literal(domain.data_type, value.value)
    limited = bool(domain.allowed_values or domain.ranges)
    if limited and not values.allowed(domain, text):
        raise InvalidInput(_("This value is not allowed: %(what)s.") % {"what": _choices(domain)})
    uom = value.uom
    if domain.uoms:
        uom = uom or domain.uoms[0]
        if uom not in domain.uoms:
            raise InvalidInput(
                _("The unit must be one of %(units)s.") % {"units": ", ".join(domain.uoms)}
            )
    return replace(value, value=text, uom=uom, data_type=domain.data_type)


def _choices(domain: LiteralDomain) -> str:
    parts = []
    if domain.allowed_values:
        listed = ", ".join(domain.allowed_values[:10])
        more = " …" if len(domain.allowed_values) > 10 else ""  # noqa: PLR2004 (enough to see)
        parts.append(_("choose one of %(listed)s") % {"listed": listed + more})
    return _(" or ").join([*parts, *map(_range, domain.ranges)])


def _range(wanted: ValueRange) -> str:
    low, high = wanted.minimum or "-∞", wanted.maximum or "∞"
    between = _("between %(low)s and %(high)s") % {"low": low, "high": high}
    if not wanted.spacing:
        return between
    said = {"between": between, "step": wanted.spacing, "start": wanted.minimum or "0"}
    return _("%(between)s, in steps of %(step)s from %(start)s") % said


def _known_format(domain: ComplexDomain, wanted: Format, locator: str = "") -> Format:
    """The process's format that is meant: same media type, and encoding and schema if given."""
    for known in domain.formats:
        same_type = not wanted.media_type or _bare(wanted.media_type) == _bare(known.media_type)
        same_encoding = not wanted.encoding or wanted.encoding.lower() == known.encoding.lower()
        same_schema = not wanted.schema or not known.schema or wanted.schema == known.schema
        if same_type and same_encoding and same_schema:
            return known
    raise InvalidInput(
        _("The format must be one of %(formats)s.")
        % {"formats": ", ".join(dict.fromkeys(f.media_type for f in domain.formats))},
        locator=locator,
    )


def _bare(media_type: str) -> str:
    """For comparing; text is UTF-8 everywhere here, whether that is said or not."""
    bare = "".join(media_type.lower().split()).replace('"', "")
    return bare.removesuffix(";charset=utf-8")


def _complex(domain: ComplexDomain, value: ComplexValue) -> ComplexValue:
    # Base64 is only a way to carry bytes: a format that does not list it may still be sent so.
    carried = value.encoding.lower() in ("base64", *TEXT_ENCODINGS)
    asked = Format(value.media_type, "" if carried else value.encoding, value.schema)
    known = _known_format(domain, asked)
    listed = known.encoding.lower() == "base64"
    if not value.encoding and listed and not values.is_text(known.media_type):
        value = replace(value, encoding="base64")  # bytes: no text could be meant
    if value.encoding.lower() != "base64":
        value = replace(value, data=undeclared(value.data))
    values.complex_data(known.media_type, value)
    size = len(value.data.encode())
    if domain.maximum_megabytes is not None and size > domain.maximum_megabytes * 2**20:
        raise InvalidInput(
            _("This is larger than the %(n)s MB that the process takes.")
            % {"n": domain.maximum_megabytes}
        )
    value = replace(
        value, media_type=known.media_type or value.media_type, schema=value.schema or known.schema
    )
    if value.encoding or not known.encoding:
        return value
    if listed:  # plain text was given: carried as the format demands
        return replace(
            value, data=base64.b64encode(value.data.encode()).decode(), encoding="base64"
        )
    return replace(value, encoding=known.encoding)


def _reference(domain: ComplexDomain, value: ReferenceValue) -> ReferenceValue:
    known = _known_format(domain, Format(value.media_type, value.encoding, value.schema))
    return replace(
        value,
        href=values.address(value.href),
        media_type=value.media_type or known.media_type,
    )


def _bbox(domain: BoundingBoxDomain, value: BoundingBoxValue) -> BoundingBoxValue:
    crs = value.crs or domain.crss[0]
    known = next((one for one in domain.crss if values.same_crs(one, crs)), None)
    if known is None:
        raise InvalidInput(
            _("The coordinate reference system must be one of %(crss)s.")
            % {"crss": ", ".join(domain.crss)}
        )
    values.corners(value, known)
    return replace(value, crs=known)  # in the provider's own spelling
