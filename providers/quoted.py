"""Quotations: the records in a QUOTATION output, which say what a run would use."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import ProviderError, ProviderNonsense, ProviderRefused
from providers import quotation
from providers.ports import RemoteQuote, RemoteState, RemoteStatus
from providers.process import (
    ComplexValue,
    ExecuteRequest,
    LiteralValue,
    OutputRequest,
    OutputValue,
    ProcessDescription,
)
from providers.quotation import OUTPUT

log = structlog.get_logger(__name__)

LARGEST = 10**18
MOST_DECIMALS = 40
MOST_QUANTITIES = 1000
LONGEST_NAME = 100
LONGEST = 2**20  # characters of the document
PAUSE = 0.5  # seconds between two questions

_GOING_ON = (RemoteState.ACCEPTED, RemoteState.RUNNING, RemoteState.PAUSED)


def asked(
    process: ProcessDescription, request: ExecuteRequest
) -> tuple[ProcessDescription, ExecuteRequest]:
    """The question that a request stands for, in protocols that name every output they want; the
    process as it is to answer: at once where it can, and nothing stored."""
    question = quotation.question(process, request)
    outputs = question.outputs or (OutputRequest(OUTPUT),)
    at_once = replace(process, store_supported=False, status_supported=not process.sync_supported)
    return at_once, replace(question, outputs=outputs)


def answered(
    run: Callable[[], RemoteStatus],
    *,
    follow: Callable[[str], RemoteStatus] | None,
    dismiss: Callable[[str], bool],
) -> RemoteQuote:
    """The quotation that a request brings: in its answer, or as the result of the job that the
    provider takes it for (`follow` gives its status), within QUOTATION_SECONDS.

    A run that it started instead is dismissed. Raises what `quote_of` and both raise.
    """
    try:
        status = run()
        if follow is not None:
            status = awaited(status, follow, seconds=settings.QUOTATION_SECONDS)
    except ProviderNonsense as error:
        error.data["ignored"] = bool(error.data.get("started"))
        raise
    if status.handle:
        _stop(dismiss, status.handle)
    return quote_of(status)


def _stop(dismiss: Callable[[str], bool], handle: str) -> None:
    """Try to end a run that nobody wanted."""
    try:
        told = dismiss(handle)
    except ProviderError as error:
        log.info("provider.unwanted_run", error=error.code)
    else:
        log.info("provider.unwanted_run", dismissed=told)


def awaited(
    status: RemoteStatus, ask: Callable[[str], RemoteStatus], *, seconds: float
) -> RemoteStatus:
    """The answer to a question that a provider takes as a job of its own: asked for until the end,
    or until that many seconds have passed.

    `ask` gives the status of a handle. Raises what that raises.
    """
    end = time.monotonic() + seconds
    while status.handle and status.state in _GOING_ON and time.monotonic() < end:
        time.sleep(min(PAUSE, max(0.0, end - time.monotonic())))
        status = ask(status.handle)
    return status


def quote_of(status: RemoteStatus) -> RemoteQuote:
    """The quotation in the answer to a question.

    Raises ProviderRefused when the provider could not quote, ProviderNonsense for anything else;
    its data has `ignored` when the provider ran the process.
    """
    if status.state == RemoteState.FAILED:
        raise ProviderRefused(status.error)
    text = _document(status.outputs) if status.state == RemoteState.SUCCEEDED else None
    if text is None:
        raise ProviderNonsense(
            _("Asked for a quotation, the provider ran the process instead."), ignored=True
        )
    quantities = tuple(_quantities(_records(text)))
    if not quantities:
        raise _nonsense(_("it has no quantities"))
    return RemoteQuote(quantities)


def _document(outputs: Sequence[OutputValue]) -> str | None:
    for output in outputs:
        if output.identifier.upper() == OUTPUT:
            if isinstance(output.value, ComplexValue):
                return output.value.data
            return output.value.value if isinstance(output.value, LiteralValue) else None
    return None


def _records(text: str) -> list[Any]:
    """A list of records, or the single one that some centres send."""
    if len(text) > LONGEST:
        raise _nonsense(_("it is too large"))
    try:
        document = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError, InvalidOperation):
        raise _nonsense(_("it is not JSON")) from None
    return document if isinstance(document, list) else [document]


def _quantities(records: list[Any]) -> Iterator[tuple[str, Decimal]]:
    """Of all records: a run of several steps is quoted, and later reported, step by step."""
    left = MOST_QUANTITIES
    for record in records:
        given = record.get("quantity") if isinstance(record, dict) else None
        if not isinstance(given, list):
            raise _nonsense(_("a record has no list of quantities"))
        left -= len(given) + 1
        if left < 0:
            raise _nonsense(_("it is too large"))
        yield from map(_quantity, given)


def _quantity(given: Any) -> tuple[str, Decimal]:
    name = given.get("id") if isinstance(given, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        raise _nonsense(_("a quantity has no name"))
    return name, _value(given.get("value"))


def _value(given: Any) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | str | Decimal):
        raise _nonsense(_("a quantity is no number"))
    try:
        value = Decimal(given[:40] if isinstance(given, str) else given)
    except InvalidOperation:
        raise _nonsense(_("a quantity is no number")) from None
    exponent = value.as_tuple().exponent
    # What a short exponent stands for may not fit into memory as a fraction.
    plain = isinstance(exponent, int) and abs(exponent) <= MOST_DECIMALS
    if not plain or not 0 <= value <= LARGEST:
        raise _nonsense(_("a quantity is out of bounds"))
    return value


def _no_number(name: str) -> None:
    raise ValueError(name)


def _nonsense(why: str) -> ProviderNonsense:
    return ProviderNonsense(
        _("The provider's quotation cannot be understood: %(why)s.") % {"why": why}
    )
