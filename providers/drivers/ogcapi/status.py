"""Status information of a job (18-062r2 §7.12, statusInfo.yaml; the drafts of 2.0)."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote, unquote

from django.utils.translation import gettext as _

from common.errors import ProviderNonsense
from common.http import Response
from providers.addresses import public_text
from providers.drivers.ogcapi.addressing import job_of, own, resource
from providers.drivers.ogcapi.documents import links, log, reason, text
from providers.ports import Endpoint, RemoteState, RemoteStatus

SCHEME = "ogcapi-processes"
STATES = {
    "created": RemoteState.ACCEPTED,
    "accepted": RemoteState.ACCEPTED,
    "queued": RemoteState.ACCEPTED,
    "pending": RemoteState.ACCEPTED,
    "running": RemoteState.RUNNING,
    "started": RemoteState.RUNNING,
    "paused": RemoteState.PAUSED,
    "successful": RemoteState.SUCCEEDED,
    "succeeded": RemoteState.SUCCEEDED,
    "success": RemoteState.SUCCEEDED,
    "finished": RemoteState.SUCCEEDED,
    "failed": RemoteState.FAILED,
    "failure": RemoteState.FAILED,
    "error": RemoteState.FAILED,
    "exception": RemoteState.FAILED,
    "dismissed": RemoteState.DISMISSED,
    "canceled": RemoteState.DISMISSED,
    "cancelled": RemoteState.DISMISSED,
    "revoked": RemoteState.DISMISSED,
}
ENDED = (RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.DISMISSED)
MOST_WORD = 100


def is_status(said: Any) -> bool:
    """Whether it is status information, and not a document of results."""
    if not isinstance(said, dict) or not isinstance(said.get("status"), str):
        return False
    known = said["status"].lower() in STATES
    return "jobID" in said or (known and bool({"id", "type", "processID", "links"} & said.keys()))


def parse_status(said: dict[str, Any], endpoint: Endpoint, *, handle: str) -> RemoteStatus:
    """What status information says. Outputs of a run that succeeded are asked for by themselves.

    Raises ProviderNonsense.
    """
    word = text(said, "status")
    if not word:
        raise ProviderNonsense(_("The provider's answer does not say how the job is going on."))
    state = STATES.get(word.lower())
    if state is None:
        log.warning("provider.unknown_status", word=word[:MOST_WORD])
        state = RemoteState.RUNNING
    failed = state == RemoteState.FAILED
    return RemoteStatus(
        state=state,
        scheme=SCHEME,
        word=public_text(word, endpoint, most=MOST_WORD),
        handle=handle,
        remote_id=(text(said, "jobID", "id") or job_of(handle))[:255],
        percent=_percent(said.get("progress", said.get("percentCompleted"))),
        message="" if failed else public_text(text(said, "message"), endpoint),
        error=public_text(_failure(said), endpoint) if failed else "",
    )


def _failure(said: dict[str, Any]) -> str:
    """Why a run failed: the drafts of 2.0 have a problem document inside."""
    inside = said.get("exception")
    return (reason(inside) if isinstance(inside, dict) else "") or text(said, "message")


def _percent(value: Any) -> int | None:
    try:
        number = float(value.rstrip("% ") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
    if isinstance(value, bool) or not math.isfinite(number):
        return None
    return round(min(100.0, max(0.0, number)))


def address_of_job(said: Any, answer: Response, endpoint: Endpoint) -> str:
    """Where a job that was just taken can be asked for, byte for byte as the server gave it.

    A server that names an address of its own inner network, as many behind a gateway do, is asked
    at the registered one. Raises ProviderNonsense when there is neither address nor identifier.
    """
    location = answer.headers.get("location", "")
    found = own(endpoint, location, answer.url) if location else ""
    if found and job_of(found):
        return found
    document = said if isinstance(said, dict) else {}
    for link in links(document):
        if text(link, "rel") in ("monitor", "status", "self"):
            linked = own(endpoint, text(link, "href"), answer.url)
            if job_of(linked):
                return linked
    job = text(document, "jobID", "id") or job_of(location)
    if job:
        return resource(endpoint.url, "jobs", job)
    if found:
        return found
    if location:
        log.warning("provider.foreign_status_location", location=location[:2000])
    raise ProviderNonsense(
        _("The provider took the job, but did not say where its status can be read."),
        started=True,
    )


def with_output(address: str, only: str) -> str:
    """A handle: where to ask, and the identifier of the process's only output, as a bare answer
    would not name it."""
    return f"{address}#{quote(only, safe='')}" if only else address


def taken_apart(handle: str) -> tuple[str, str]:
    """Address and identifier of the only output in a handle."""
    address, _mark, only = handle.partition("#")
    return address, unquote(only)
