"""ExecuteResponse documents: what a provider says of a job (OGC 05-007r7 §10.3)."""

from __future__ import annotations

from urllib.parse import urljoin

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from common.xml import Element
from providers.addresses import is_own, public_text
from providers.drivers.wps1.addressing import remote_id
from providers.drivers.wps1.outputs import parse_outputs
from providers.ows.documents import (
    MOST_LOGGED,
    attribute,
    child,
    local,
    log,
    percent,
    read,
    reported,
    text,
)
from providers.ports import Endpoint, RemoteState, RemoteStatus

STATES = {
    "ProcessAccepted": RemoteState.ACCEPTED,
    "ProcessStarted": RemoteState.RUNNING,
    "ProcessPaused": RemoteState.PAUSED,
    "ProcessSucceeded": RemoteState.SUCCEEDED,
    "ProcessFailed": RemoteState.FAILED,
}
SCHEME = "wps-1.0"
_ENDED = (RemoteState.SUCCEEDED, RemoteState.FAILED)


def parse_status(
    data: bytes, endpoint: Endpoint, *, handle: str = "", http_status: int = 200
) -> RemoteStatus:
    """What an ExecuteResponse says. `handle` is where it came from, "" for the answer to Execute.

    Raises ProviderRefused for an ExceptionReport; ProviderNonsense for anything else, for a status
    address that is not the provider's own, and for a running job without one.
    """
    root, _repaired = read(
        data, endpoint, root="ExecuteResponse", version="1.0.0", http_status=http_status
    )
    element = _status_element(root)
    word = local(element) if element is not None else "ProcessSucceeded"
    state = STATES.get(word)
    if state is None:
        log.warning("provider.unknown_status", word=word[:100])
        state = RemoteState.RUNNING
    location = handle or _location(root, endpoint)
    if state not in _ENDED and not location:
        raise ProviderNonsense(
            _("The provider took the job, but did not say where its status can be read."),
            started=True,
        )
    failed = state == RemoteState.FAILED
    return RemoteStatus(
        state=state,
        scheme=SCHEME,
        word=public_text(word, endpoint),
        handle="" if state in _ENDED else location,
        remote_id=remote_id(location),
        percent=percent(attribute(element, "percentCompleted")),
        message="" if failed else public_text(text(element), endpoint),
        outputs=parse_outputs(root, endpoint) if state == RemoteState.SUCCEEDED else (),
        error=_failure(element, endpoint) if failed else "",
    )


def _status_element(root: Element) -> Element | None:
    """The Process… element; None when there is none but there are outputs."""
    status = child(root, "Status")
    if status is not None:
        for element in status:
            if local(element).startswith("Process"):
                return element
    if child(root, "ProcessOutputs") is None:
        raise ProviderNonsense(_("The provider's answer does not say how the job is going on."))
    return None


def _location(root: Element, endpoint: Endpoint) -> str:
    """The statusLocation byte for byte; only one that is relative is completed."""
    location = attribute(root, "statusLocation")
    if not location:
        return ""
    try:
        complete = location if "://" in location else urljoin(endpoint.url, location)
    except ValueError:
        complete = ""
    if not is_own(endpoint, complete):
        log.warning("provider.foreign_status_location", location=location[:2000])
        raise ProviderNonsense(
            _("The provider names a status address on another host; it is not called."),
            started=True,
        )
    return complete


def _failure(element: Element, endpoint: Endpoint) -> str:
    said = reported(child(element, "ExceptionReport")) or text(element)
    log.info("provider.job_failed", text=said[:MOST_LOGGED])
    return public_text(said, endpoint) or _("The provider says only that the job failed.")
