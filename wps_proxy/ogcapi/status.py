"""A job as a statusInfo document (18-062r2 §7.12, statusInfo.yaml)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from jobs.models import Job
from jobs.selectors import waiting_reason
from jobs.states import State
from wps_proxy.offers import Offer
from wps_proxy.ogcapi.answers import own_links
from wps_proxy.ogcapi.place import HTML, REL, Place, link
from wps_proxy.ogcapi.problems import NoSuchJob

ACCEPTED, RUNNING = "accepted", "running"
SUCCESSFUL, FAILED, DISMISSED = "successful", "failed", "dismissed"

# States that are not here are not visible: nothing was submitted yet. A job whose provider is still
# being told counts as dismissed: that is what its user asked for, and has no more to wait for.
WORDS: dict[State, str] = {
    State.SUBMITTED: ACCEPTED,
    State.SUBMITTING: ACCEPTED,
    State.SUBMIT_REJECTED: FAILED,
    State.SUBMIT_FAILED: FAILED,
    State.ACCEPTED: ACCEPTED,
    State.IN_PRODUCTION: RUNNING,
    State.SUSPENDED: RUNNING,
    State.CANCELLING: DISMISSED,
    State.CANCELLED: DISMISSED,
    State.COMPLETED: SUCCESSFUL,
    State.DOWNLOADED: SUCCESSFUL,
    State.FAILED: FAILED,
    State.TERMINATED: SUCCESSFUL,
}


def word_of(job: Job) -> str:
    """The status of a job; raises NoSuchJob for one that was never submitted."""
    try:
        return WORDS[State(job.state)]
    except KeyError:
        raise NoSuchJob from None


def states_of(word: str) -> list[State]:
    """The states that have this status."""
    return [state for state, one in WORDS.items() if one == word]


def message_of(job: Job) -> str:
    """What is to be said to people about the status."""
    word = word_of(job)
    if word == DISMISSED:
        return _("Dismissed.") if job.final else _("Dismissed; the provider is being told.")
    if word == FAILED:
        return job.error or _("The run failed; the provider does not say why.")
    return waiting_reason(job) or job.message or (_("Done.") if word == SUCCESSFUL else "")


def status_info(place: Place, offer: Offer, job: Job, *, whole: bool = True) -> dict[str, Any]:
    """statusInfo.yaml; not `whole`: as an entry of a list, with fewer links."""
    word, identifier = word_of(job), offer.identifier(job.service)
    address = place.job(job)
    if whole:
        links = own_links(place, address)
        links.append(link(place.process(identifier), "up", _("The process")))
        links.append(link(place.jobs, f"{REL}job-list", _("Your jobs")))
    else:
        links = [link(address, "self", _("Status"))]
        links.append(link(f"{address}?f=html", "alternate", _("Status as a page"), HTML))
    if word == SUCCESSFUL:
        links.append(link(place.results(job), f"{REL}results", _("Results")))
    if word == FAILED:
        links.append(link(place.results(job), f"{REL}exceptions", _("What went wrong")))
    known = (
        *(job.created_at, job.sent_at, job.started_at),
        *(job.checked_at, job.dismissed_at, job.finished_at),
    )
    told = {
        "jobID": str(job.pk),
        "processID": identifier,
        "type": "process",
        "status": word,
        "message": message_of(job),
        "created": _time(job.created_at),
        "started": _time(job.started_at),
        "finished": _time(job.finished_at),
        "updated": _time(max(one for one in known if one is not None)),
        "progress": job.percent,
        "links": links,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def _time(moment: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
