"""Reading about jobs: lists, events, and why a job is waiting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jobs import limits
from jobs.access import may_manage, visible_jobs
from jobs.models import Job, JobEvent
from jobs.models.sharing import SHARING
from jobs.states import FINAL, SUCCESSFUL, State

if TYPE_CHECKING:
    from people.models import User


@dataclass(frozen=True, slots=True)
class JobFilter:
    """What a list of jobs is narrowed by; empty fields narrow nothing."""

    phase: str = ""  # running, succeeded, failed
    state: str = ""
    service_id: int | None = None
    account_id: int | None = None
    text: str = ""
    since: date | None = None
    until: date | None = None
    own: bool = False
    label: str = ""


def jobs_of(user: User, wanted: JobFilter | None = None) -> QuerySet[Job]:
    """The jobs that the user may see, newest first."""
    wanted = wanted or JobFilter()
    jobs = visible_jobs(user)
    if wanted.own:
        jobs = jobs.filter(owner=user)
    if wanted.state:
        jobs = jobs.filter(state=wanted.state)
    jobs = jobs.filter(_phase(wanted.phase))
    if wanted.service_id:
        jobs = jobs.filter(service=wanted.service_id)
    if wanted.account_id:
        jobs = jobs.filter(account=wanted.account_id)
    if wanted.text:
        jobs = jobs.filter(
            Q(title__icontains=wanted.text) | Q(service__title__icontains=wanted.text)
        )
    if wanted.label:
        jobs = jobs.filter(labels__text=wanted.label)
    return jobs.filter(_days(wanted.since, wanted.until))


def events_of(job: Job, reader: User) -> QuerySet[JobEvent]:
    """What happened to the job, in order; with whom it is shared is for who manages it to know."""
    events = job.events.order_by("number")
    return events if may_manage(reader, job) else events.exclude(reason__in=SHARING)


def waiting_reason(job: Job) -> str:
    """One sentence on why a job does not move; "" when it does."""
    if job.final:
        return ""
    if job.outcome_unknown:
        return _(
            "The request was sent and the answer was lost. The provider may be running the job; "
            "it is not sent again, and the credit stays held until this is clear."
        )
    if job.unreachable_since:
        return _("The provider has not answered since %(since)s. The portal keeps trying.") % {
            "since": f"{job.unreachable_since:%H:%M:%S} UTC"
        }
    if job.state == State.SUBMITTED:
        return _("Waiting to be sent to the provider.")
    if job.state == State.SUSPENDED:
        return _("The provider has paused the job.")
    return ""


def why_waiting(job: Job) -> str:
    """As `waiting_reason`, with what it takes a look at other jobs to know."""
    if job.state not in (State.SUBMITTED, State.SUBMITTING) or job.sent_at or job.unreachable_since:
        return waiting_reason(job)
    reason = limits.why_not_now(job)
    earlier = limits.before(job)
    said = [reason.text if reason else waiting_reason(job)]
    if earlier:
        text = ngettext("%(n)s job was there first.", "%(n)s jobs were there first.", earlier)
        said.append(text % {"n": earlier})
    return " ".join(filter(None, said))


def _days(since: date | None, until: date | None) -> Q:
    first = Q(created_at__date__gte=since) if since else Q()
    return first & (Q(created_at__date__lte=until) if until else Q())


def _phase(phase: str) -> Q:
    if phase == "running":
        return ~Q(state__in=FINAL)
    if phase == "succeeded":
        return Q(state__in=SUCCESSFUL)
    if phase == "failed":
        return Q(state__in=FINAL - SUCCESSFUL)
    return Q()
