"""The quotation convention of WPS centres: a process with an input `quotation` can be asked what a
run would use, without running it.

Input and output of the convention belong to the portal: users neither see nor send them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from providers.process import (
    ExecuteRequest,
    InputDescription,
    InputValue,
    LiteralDomain,
    LiteralValue,
    OutputRequest,
    ProcessDescription,
)

INPUT = "quotation"
OUTPUT = "QUOTATION"
YES = frozenset({"true", "1", "yes"})


def is_quotable(process: ProcessDescription) -> bool:
    """Whether the process follows the convention: it lists the input as a plain yes or no."""
    wanted = process.input(INPUT)
    return wanted is not None and isinstance(wanted.domain, LiteralDomain) and _said(wanted) != ""


def for_users(process: ProcessDescription) -> ProcessDescription:
    """The process without what belongs to the convention."""
    if not is_quotable(process):
        return process
    return replace(
        process,
        inputs=tuple(one for one in process.inputs if one.identifier != INPUT),
        outputs=tuple(one for one in process.outputs if one.identifier != OUTPUT),
    )


def without_reserved(values: Iterable[InputValue]) -> tuple[InputValue, ...]:
    """A user's values without one for the reserved input."""
    return tuple(value for value in values if value.identifier != INPUT)


def wants_quotation(values: Iterable[InputValue]) -> bool:
    """Whether a request asks for a quotation instead of a run."""
    return any(
        isinstance(value, LiteralValue)
        and value.identifier == INPUT
        and value.value.strip().lower() in YES
        for value in values
    )


def question(process: ProcessDescription, request: ExecuteRequest) -> ExecuteRequest:
    """The request that asks a quotable process for a quotation."""
    outputs = (OutputRequest(OUTPUT),) if process.output(OUTPUT) else ()
    return replace(request, inputs=(_answer(process, yes=True), *request.inputs), outputs=outputs)


def run(process: ProcessDescription, request: ExecuteRequest) -> ExecuteRequest:
    """The request that runs a process, saying so where it insists on being told."""
    wanted = process.input(INPUT)
    if wanted is None or not wanted.min_occurs or not is_quotable(process):
        return request
    return replace(request, inputs=(_answer(process, yes=False), *request.inputs))


def _answer(process: ProcessDescription, *, yes: bool) -> LiteralValue:
    wanted = process.input(INPUT)
    data_type = (
        wanted.domain.data_type if wanted and isinstance(wanted.domain, LiteralDomain) else ""
    )
    said = _said(wanted) if wanted else "true"
    if not yes:
        said = {"1": "0", "yes": "no"}.get(said.lower(), "false")
    return LiteralValue(INPUT, said, data_type)


def _said(wanted: InputDescription) -> str:
    """How the process wants to hear yes; "" when it is no question of yes or no."""
    domain = wanted.domain
    if not isinstance(domain, LiteralDomain):
        return ""
    if domain.allowed_values:
        return next((one for one in domain.allowed_values if one.strip().lower() in YES), "")
    return "true" if domain.data_type in ("boolean", "string") else ""
