"""ExecuteResponse documents: what a provider says of a job (OGC 05-007r7 §10.3)."""

from __future__ import annotations

import math
import re
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from common.ows import parse_exception_report
from common.xml import Element
from providers.addresses import is_own, public_text
from providers.drivers.wps1.documents import (
    MOST_LOGGED,
    SCHEME,
    attribute,
    child,
    local,
    log,
    read,
    text,
)
from providers.drivers.wps1.outputs import parse_outputs
from providers.ports import Endpoint, RemoteState, RemoteStatus

STATES = {
    "ProcessAccepted": RemoteState.ACCEPTED,
    "ProcessStarted": RemoteState.RUNNING,
    "ProcessPaused": RemoteState.PAUSED,
    "ProcessSucceeded": RemoteState.SUCCEEDED,
    "ProcessFailed": RemoteState.FAILED,
}
_ENDED = (RemoteState.SUCCEEDED, RemoteState.FAILED)
_ID_PARAMETERS = ("executionid", "jobid", "id", "sid")


def parse_status(
    data: bytes, endpoint: Endpoint, *, handle: str = "", http_status: int = 200
) -> RemoteStatus:
    """What an ExecuteResponse says. `handle` is where it came from, "" for the answer to Execute.

    Raises ProviderRefused for an ExceptionReport; ProviderNonsense for anything else, for a status
    address that is not the provider's own, and for a running job without one.
    """
    root, _repaired = read(data, endpoint, root="ExecuteResponse", http_status=http_status)
    element = _status_element(root)
    word = local(element) if element is not None else "ProcessSucceeded"
    state = STATES.get(word)
    if state is None:
        log.warning("provider.unknown_status", word=word[:100])
        state = RemoteState.RUNNING
    location = handle or _location(root, endpoint)
    if state not in _ENDED and not location:
        raise ProviderNonsense(
            _("The provider took the job, but did not say where its status can be read.")
        )
    failed = state == RemoteState.FAILED
    return RemoteStatus(
        state=state,
        scheme=SCHEME,
        word=word,
        handle="" if state in _ENDED else location,
        remote_id=remote_id(location),
        percent=_percent(attribute(element, "percentCompleted")),
        message="" if failed else public_text(text(element), endpoint),
        outputs=parse_outputs(root, endpoint) if state == RemoteState.SUCCEEDED else (),
        error=_failure(element, endpoint) if failed else "",
    )


def remote_id(location: str) -> str:
    """The provider's own identifier of a job, as its usage records name it; "" if unknown.

    Only for matching records: the whole status address is what a job is followed by.
    """
    try:
        parts = urlsplit(location)
    except ValueError:
        return ""
    query = {name.lower(): value for name, value in parse_qsl(parts.query)}
    zoo = re.search(r"(?:^|;)sid=([^;@]+)", query.get("datainputs", ""), re.IGNORECASE)
    if zoo:
        return zoo[1][:255]
    for name in _ID_PARAMETERS:
        if query.get(name):
            return query[name][:255]
    jobs = re.search(r"/jobs/([^/]+)", parts.path)
    if jobs:
        return unquote(jobs[1])[:255]
    last = parts.path.rpartition("/")[2]
    if last.lower().endswith(".xml"):
        return unquote(last[:-4]).removeprefix("pywps-")[:255]
    return ""


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
            _("The provider names a status address on another host; it is not called.")
        )
    return complete


def _percent(number: str) -> int | None:
    """0 to 100; also from "50.0" and "50 %"."""
    try:
        percent = float(number.rstrip("% "))
    except ValueError:
        return None
    return round(min(100.0, max(0.0, percent))) if math.isfinite(percent) else None


def _failure(element: Element, endpoint: Endpoint) -> str:
    inside = child(element, "ExceptionReport")
    report = parse_exception_report(inside) if inside is not None else None
    said = report.text if report and report.text else text(element)
    log.info("provider.job_failed", code=report.code if report else "", text=said[:MOST_LOGGED])
    return public_text(said, endpoint) or _("The provider says only that the job failed.")
