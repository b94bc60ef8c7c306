"""The exception codes that WPS 2.0 has for the parts of an Execute request (14-065 §9.6.3)."""

from __future__ import annotations

from common.errors import InvalidInput
from jobs.validation import validate_inputs, validate_outputs
from providers.process import (
    ComplexDomain,
    ComplexValue,
    ExecuteRequest,
    InputDescription,
    InputValue,
    LiteralValue,
    ProcessDescription,
)

MEGABYTE = 2**20


def recoded(
    error: InvalidInput, process: ProcessDescription, request: ExecuteRequest
) -> InvalidInput:
    """The error with the code of the standard for each input or output that is wrong.

    The core has refused the request; why, by the words of this standard, is seen by looking at it
    once more. An error about anything else stays as it is.
    """
    codes: dict[str, str] = {}
    try:
        validate_inputs(process, request.inputs)
    except InvalidInput as wrong:
        codes = {place: _input_code(place, process, request) for place in wrong.errors}
    else:
        try:
            validate_outputs(process, request.outputs)
        except InvalidInput as wrong:
            codes = {place: _output_code(place, process, request) for place in wrong.errors}
    if error.locator not in codes:
        return error
    return InvalidInput(
        error.detail,
        locator=error.locator,
        missing=error.missing,
        errors=error.errors,
        ows_code=codes[error.locator],
        ows_codes=codes,
    )


def _input_code(place: str, process: ProcessDescription, request: ExecuteRequest) -> str:
    known = process.input(place)
    given = [value for value in request.inputs if value.identifier == place]
    if known is None:
        return "NoSuchInput" if place else "TooManyInputs"
    if len(given) < known.min_occurs:
        return "MissingParameterValue"
    if known.max_occurs is not None and len(given) > known.max_occurs:
        return "TooManyInputs"
    if any(_too_large(known, value) for value in given):
        return "SizeExceeded"
    if any(_strange_format(known, value) for value in given):
        return "NoSuchFormat"
    return "WrongInputData"


def _output_code(place: str, process: ProcessDescription, request: ExecuteRequest) -> str:
    if process.output(place) is None:
        return "NoSuchOutput"
    asked = [one for one in request.outputs if one.identifier == place]
    return "TooManyOutputs" if len(asked) > 1 else "NoSuchFormat"


def _too_large(known: InputDescription, value: InputValue) -> bool:
    domain = known.domain
    if not isinstance(domain, ComplexDomain) or not isinstance(value, ComplexValue):
        return False
    most = domain.maximum_megabytes
    return most is not None and len(value.data.encode()) > most * MEGABYTE


def _strange_format(known: InputDescription, value: InputValue) -> bool:
    domain = known.domain
    if not isinstance(domain, ComplexDomain) or isinstance(value, LiteralValue):
        return False
    given = _bare(getattr(value, "media_type", ""))
    return bool(given) and given not in {_bare(one.media_type) for one in domain.formats}


def _bare(media_type: str) -> str:
    return "".join(media_type.lower().split())
