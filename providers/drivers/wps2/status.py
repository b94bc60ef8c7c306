"""StatusInfo and Result documents: what a provider says of a job (OGC 14-065 §9.7-9.9)."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from common.xml import Element
from providers.addresses import public_text, public_value, without_own_addresses
from providers.moments import moment
from providers.ows.documents import attribute, child, children, local, log, percent, read, text
from providers.ows.values import bounding_box, complex_value, literal, literal_text, reference
from providers.ports import Endpoint, RemoteState, RemoteStatus
from providers.process import ComplexValue, InputValue, LiteralValue, OutputValue

SCHEME = "wps-2.0"
STATES = {
    "accepted": RemoteState.ACCEPTED,
    "running": RemoteState.RUNNING,
    "started": RemoteState.RUNNING,
    "paused": RemoteState.PAUSED,
    "succeeded": RemoteState.SUCCEEDED,
    "successful": RemoteState.SUCCEEDED,
    "finished": RemoteState.SUCCEEDED,
    "failed": RemoteState.FAILED,
    "dismissed": RemoteState.DISMISSED,
}
MOST_JOB_ID = 2000
MOST_WORD = 100
LONGEST_LITERAL = 1000


def parse_answer(
    data: bytes, endpoint: Endpoint, *, job_id: str = "", http_status: int = 200
) -> RemoteStatus:
    """What a StatusInfo or a Result says; `job_id` as it was asked for, "" in answer to Execute.

    A StatusInfo with an end has no outputs and no error: those are asked for by themselves.
    Raises ProviderRefused for an ExceptionReport; ProviderNonsense for anything else, and for a
    running job without an identifier.
    """
    root, _repaired = read(
        data, endpoint, root=("StatusInfo", "Result"), version="2.0", http_status=http_status
    )
    said = text(root, "JobID")
    handle = job_id or said
    if len(handle) > MOST_JOB_ID or not handle.isprintable():
        raise ProviderNonsense(_("The provider's job identifier cannot be used."), started=True)
    if local(root) == "Result":
        return _result(root, endpoint, handle)
    word = text(root, "Status")
    if not word:
        raise ProviderNonsense(_("The provider's answer does not say how the job is going on."))
    state = STATES.get(word.lower())
    if state is None:
        log.warning("provider.unknown_status", word=word[:100])
        state = RemoteState.RUNNING
    if not handle:
        raise ProviderNonsense(
            _("The provider took the job, but did not say by which identifier."), started=True
        )
    return RemoteStatus(
        state=state,
        scheme=SCHEME,
        word=public_text(word, endpoint, most=MOST_WORD),
        handle=handle,
        remote_id=handle[:255],
        percent=percent(text(root, "PercentCompleted")),
        next_poll=moment(text(root, "NextPoll")) or moment(text(root, "EstimatedCompletion")),
        expires_at=moment(text(root, "ExpirationDate")),
    )


def _result(root: Element, endpoint: Endpoint, handle: str) -> RemoteStatus:
    return RemoteStatus(
        state=RemoteState.SUCCEEDED,
        scheme=SCHEME,
        word="Succeeded",
        remote_id=handle[:255],
        outputs=tuple(_outputs(root, endpoint)),
        expires_at=moment(text(root, "ExpirationDate")),
    )


def _outputs(parent: Element, endpoint: Endpoint) -> Iterator[OutputValue]:
    """Every output that has a value, also those inside others. What has none is passed over."""
    for element in children(parent, "Output"):
        if child(element, "Output") is not None:
            yield from _outputs(element, endpoint)
            continue
        identifier = attribute(element, "id") or text(element, "Identifier")
        value = _value(element, identifier) if identifier else None
        if value is None:
            log.warning("provider.output_without_value", identifier=identifier[:200])
            continue
        title = without_own_addresses(text(element, "Title"), endpoint)
        yield OutputValue(public_value(value, endpoint), title=title)


def _value(element: Element, identifier: str) -> InputValue | None:
    referred = child(element, "Reference")
    data = child(element, "Data")
    if referred is not None:
        return reference(referred, identifier, referred)
    if data is None:
        return None
    for name in ("LiteralValue", "LiteralData"):
        plain = child(data, name)
        if plain is not None:
            return literal(plain, identifier)
    for name in ("BoundingBox", "BoundingBoxData", "WGS84BoundingBox"):
        box = child(data, name)
        if box is not None:
            return bounding_box(box, identifier)
    inside = child(data, "ComplexData")
    value = complex_value(data if inside is None else inside, identifier)
    return _as_literal(value) if isinstance(value, ComplexValue) else value


def _as_literal(value: ComplexValue) -> InputValue:
    """A short bare text is a literal: servers need not put an element around one."""
    media_type = value.media_type.partition(";")[0].strip().lower()
    bare = literal_text(value.data)
    short = len(bare) <= LONGEST_LITERAL and "\n" not in bare and "<" not in bare
    if media_type in ("", "text/plain") and not value.encoding and not value.schema and short:
        return LiteralValue(value.identifier, bare)
    return value
