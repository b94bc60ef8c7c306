"""The body of an execute request (18-062r2 §7.11, execute.yaml)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from common.errors import InvalidInput
from jobs.callbacks import checked_callbacks
from jobs.models import CallbackEvent
from providers.process import InputValue, OutputRequest, ProcessDescription
from wps_proxy.ogcapi.inputs import format_of, inputs_of, only_known, short_text
from wps_proxy.ogcapi.preferences import Preferences

# `id`, `mode` and `$schema` come from clients of drafts: the address, Prefer and we know better.
_MEMBERS = frozenset({"inputs", "outputs", "response", "subscriber", "id", "mode", "$schema"})
_OUTPUT = frozenset({"format", "transmissionMode", "mediaType", "type", "encoding", "schema"})
_SUBSCRIBERS = {
    "successUri": CallbackEvent.SUCCESS,
    "inProgressUri": CallbackEvent.IN_PROGRESS,
    "failedUri": CallbackEvent.FAILED,
}
Callbacks = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be run, and the form of the answer. No outputs: all of them."""

    inputs: tuple[InputValue, ...]
    outputs: tuple[OutputRequest, ...]
    raw: bool
    asynchronous: bool  # asked for in the body, as drafts of the standard had it
    callbacks: Callbacks


def read_run(body: bytes, process: ProcessDescription, preferred: Preferences) -> Run:
    """The request. Raises InvalidInput with everything that is wrong with the inputs.

    The draft of version 2.0 has no `response`: `Prefer: return=representation` asks for values,
    `return=minimal` for links, both in a document unless one value is all there is.
    """
    document = _object(body)
    outputs = _outputs(document.get("outputs"))
    raw = short_text(document, "response") or ("" if preferred.returned else "raw")
    if raw not in ("raw", "document", ""):
        raise InvalidInput(_("The response is raw or document."), locator="response")
    if not raw:
        wanted = outputs or tuple(OutputRequest(one.identifier) for one in process.outputs)
        if preferred.returned == "minimal":
            outputs = tuple(replace(one, as_reference=True) for one in wanted)
        raw = "raw" if preferred.returned == "representation" and len(wanted) == 1 else "document"
    return Run(
        inputs_of(process, _member(document, "inputs")),
        outputs,
        raw == "raw",
        short_text(document, "mode") == "async",
        _callbacks(_member(document, "subscriber")),
    )


def _object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        document = json.loads(body, parse_constant=_refused, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        text = _("The body is not a JSON document of unique names.")
        raise InvalidInput(text, locator="body") from None
    if not isinstance(document, dict):
        raise InvalidInput(_("The body is a JSON object with “inputs”."), locator="body")
    unknown = sorted(document.keys() - _MEMBERS)
    if unknown:
        text = _("An execute request has no such member.")
        raise InvalidInput(text, locator=unknown[0], errors={one: [text] for one in unknown})
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a member that is there twice, one reader takes the first and another the last."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError
    return members


def _refused(word: str) -> float:
    """JSON has no NaN and no Infinity, whatever Python reads."""
    raise ValueError(word)


def _member(document: dict[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput(_("This is a JSON object."), locator=name)
    return value


def _outputs(given: Any) -> tuple[OutputRequest, ...]:
    """The outputs asked for (output.yaml), or none when that is left to the process."""
    if given is None:
        return ()
    if not isinstance(given, dict):
        raise InvalidInput(_("Outputs are a JSON object, by identifier."), locator="outputs")
    return tuple(_output(identifier, one) for identifier, one in given.items())


def _output(identifier: str, given: Any) -> OutputRequest:
    if not isinstance(given, dict):
        raise InvalidInput(_("An output is a JSON object."), locator=identifier[:200])
    try:
        only_known(given, _OUTPUT)
        mode = short_text(given, "transmissionMode") or "value"
        form = format_of(given)
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator=identifier[:200]) from None
    if mode not in ("value", "reference"):
        text = _("The transmission mode is value or reference.")
        raise InvalidInput(text, locator=identifier[:200])
    named = form.media_type or form.encoding or form.schema
    return OutputRequest(identifier, mode == "reference", form if named else None)


def _callbacks(given: dict[str, Any]) -> Callbacks:
    """Who is told (subscriber.yaml); the addresses are such as the portal may call."""
    found: list[tuple[str, str]] = []
    try:
        only_known(given, frozenset(_SUBSCRIBERS))
    except InvalidInput as error:
        raise InvalidInput(error.detail, locator="subscriber") from None
    for name, event in _SUBSCRIBERS.items():
        url = short_text(given, name)
        try:
            found += checked_callbacks([(event, url)]) if url else ()
        except InvalidInput as error:
            raise InvalidInput(error.detail, locator=f"subscriber.{name}") from None
    return tuple(found)
