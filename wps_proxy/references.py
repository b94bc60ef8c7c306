"""Plain values given by reference, which WPS 2.0 allows (14-065 §9.6.1) and most providers do not.

The portal fetches them, guarded like every address that a user gives, and sends the value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from time import monotonic

from django.utils.translation import gettext as _

from common.errors import InvalidInput, PortalError
from common.http import Limits, fetch
from common.xml import WPS2, name, parse
from providers.process import (
    ExecuteRequest,
    InputValue,
    LiteralDomain,
    LiteralValue,
    ProcessDescription,
    ReferenceValue,
)

MOST_REFERENCES = 10  # in one request
MOST_SECONDS = 15.0  # for all of them
MOST_BYTES = 64 * 2**10  # of each
OK = 200


def resolved(process: ProcessDescription, request: ExecuteRequest) -> ExecuteRequest:
    """The request with the values themselves in place of references to plain values.

    Raises InvalidInput: DataNotAccessible with the input as locator.
    """
    if sum(_is_plain(process, one) for one in request.inputs) > MOST_REFERENCES:
        raise InvalidInput(
            _("At most %(n)s plain values may be given by reference.") % {"n": MOST_REFERENCES},
            ows_code="TooManyInputs",
        )
    return replace(request, inputs=tuple(_values(process, request.inputs)))


def _values(process: ProcessDescription, values: Iterable[InputValue]) -> Iterable[InputValue]:
    end = monotonic() + MOST_SECONDS
    for value in values:
        plain = isinstance(value, ReferenceValue) and _is_plain(process, value)
        yield _fetched(value, end) if plain and isinstance(value, ReferenceValue) else value


def _is_plain(process: ProcessDescription, value: InputValue) -> bool:
    known = process.input(value.identifier)
    is_reference = isinstance(value, ReferenceValue)
    return is_reference and known is not None and isinstance(known.domain, LiteralDomain)


def _fetched(value: ReferenceValue, end: float) -> LiteralValue:
    left = max(0.1, end - monotonic())
    limits = Limits(connect=3.0, read=5.0, total=left, max_bytes=MOST_BYTES)
    try:
        answer = fetch("GET", value.href, limits=limits, by_user=True)
    except PortalError as error:
        raise _not_accessible(value, error.detail) from None
    if answer.status != OK:
        told = _("The address answers with status %(status)s.") % {"status": answer.status}
        raise _not_accessible(value, told)
    try:
        text = answer.body.decode("utf-8-sig")
    except ValueError:
        raise _not_accessible(value, _("The value is not UTF-8.")) from None
    return _literal(value.identifier, text, answer.body)


def _literal(identifier: str, text: str, body: bytes) -> LiteralValue:
    """A wps:LiteralValue, or the text without the line end that every editor leaves."""
    if "LiteralValue" in text:
        try:
            root = parse(body)
        except InvalidInput:
            root = None
        if root is not None and root.tag == name(WPS2, "LiteralValue"):
            value = str(root.xpath("string()"))
            return LiteralValue(identifier, value, uom=root.get("uom", ""))
    return LiteralValue(identifier, text.removesuffix("\n").removesuffix("\r"))


def _not_accessible(value: ReferenceValue, why: str) -> InvalidInput:
    return InvalidInput(why, locator=value.identifier, ows_code="DataNotAccessible")
