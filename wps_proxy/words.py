"""The states of a job in the words of WPS."""

from __future__ import annotations

from django.utils.translation import gettext as _

from common.errors import NotFound
from jobs.models import Job
from jobs.selectors import waiting_reason
from jobs.states import State

ACCEPTED, STARTED, PAUSED = "ProcessAccepted", "ProcessStarted", "ProcessPaused"
SUCCEEDED, FAILED = "ProcessSucceeded", "ProcessFailed"
DISMISSED = "Dismissed"  # of the dismiss extension, 14-065 §12

# States that are not here are not visible in WPS: nothing was submitted yet.
WPS1_WORDS: dict[State, str] = {
    State.SUBMITTED: ACCEPTED,
    State.SUBMITTING: ACCEPTED,
    State.SUBMIT_REJECTED: FAILED,
    State.SUBMIT_FAILED: FAILED,
    State.ACCEPTED: ACCEPTED,
    State.IN_PRODUCTION: STARTED,
    State.SUSPENDED: PAUSED,
    State.CANCELLING: STARTED,
    State.CANCELLED: FAILED,
    State.COMPLETED: SUCCEEDED,
    State.DOWNLOADED: SUCCEEDED,
    State.FAILED: FAILED,
    State.TERMINATED: SUCCEEDED,
}


WPS2_WORDS: dict[State, str] = {
    State.SUBMITTED: "Accepted",
    State.SUBMITTING: "Accepted",
    State.SUBMIT_REJECTED: "Failed",
    State.SUBMIT_FAILED: "Failed",
    State.ACCEPTED: "Accepted",
    State.IN_PRODUCTION: "Running",
    State.SUSPENDED: "Running",
    State.CANCELLING: DISMISSED,
    State.CANCELLED: DISMISSED,
    State.COMPLETED: "Succeeded",
    State.DOWNLOADED: "Succeeded",
    State.FAILED: "Failed",
    State.TERMINATED: "Succeeded",
}


def wps2_word(job: Job) -> str:
    """The text of wps:Status (14-065 §9.5); raises NotFound for a job that WPS cannot see."""
    try:
        return WPS2_WORDS[State(job.state)]
    except KeyError:
        raise NotFound from None


def wps1_word(job: Job) -> str:
    """The element of wps:Status; raises NotFound for a job that WPS cannot see."""
    try:
        return WPS1_WORDS[State(job.state)]
    except KeyError:
        raise NotFound from None


def wps1_text(job: Job) -> str:
    """What the status says to people."""
    word = wps1_word(job)
    if word == FAILED:
        return failure(job)
    if word == SUCCEEDED:
        return job.message or _("Done.")
    return waiting_reason(job) or job.message


def failure(job: Job) -> str:
    """Why a job that is at its end gave no results."""
    if job.state == State.CANCELLED:
        return "dismissed"
    return job.error or _("The run failed; the provider does not say why.")
