"""How many jobs run at a provider at once, and when nothing is sent there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from common.clock import now
from common.errors import RateLimited
from jobs.models import Job
from jobs.states import RUNNING, State
from providers.maintenance import open_window
from providers.models import Provider, Service

if TYPE_CHECKING:
    from people.models import User

LOOK_SECONDS = 15.0  # a free place is told to the first in line; this is for what goes by untold
_THERE = Q(state__in=RUNNING) | Q(state=State.SUBMITTING, sent_at__isnull=False)
_IN_LINE = Q(state=State.SUBMITTED) | Q(state=State.SUBMITTING, sent_at__isnull=True)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a job is not sent now, for people, and after how many seconds to look again."""

    text: str
    seconds: float


def are_set(provider: Provider) -> bool:
    """Whether the provider takes only so many jobs."""
    return bool(provider.max_running_jobs or provider.max_running_jobs_per_user)


def seconds_to_wait(job: Job) -> float:
    """How long a locked job is to wait before it may be sent; 0 when it may be now.

    Locks the provider where it takes only so many jobs, so that no two take the last place.
    """
    provider = job.service.provider
    if are_set(provider):
        Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)
    waiting = why_not_now(job)
    return waiting.seconds if waiting else 0


def why_not_now(job: Job) -> Waiting | None:
    """What keeps a job from being sent: maintenance, or a limit of the provider; None: nothing."""
    provider = job.service.provider
    window = open_window(provider)
    if window is not None:
        left = (window.ends_at - now()).total_seconds()
        text = _("The provider is being maintained until %(end)s.") % {
            "end": f"{timezone.localtime(window.ends_at):%Y-%m-%d %H:%M} UTC"
        }
        return Waiting(f"{text} {window.note}".strip(), min(60.0, max(1.0, left)))
    if not are_set(provider):
        return None
    there = _at(provider).filter(_THERE)
    if provider.max_running_jobs and there.count() >= provider.max_running_jobs:
        text = _("The provider runs as many jobs as it takes at once.")
        return Waiting(text, LOOK_SECONDS)
    own = provider.max_running_jobs_per_user
    if own and there.filter(owner=job.owner_id).count() >= own:
        text = _("You have %(most)s jobs at this provider, as many as it takes of one user.")
        return Waiting(text % {"most": own}, LOOK_SECONDS)
    return None


def check_free_runs(user: User, service: Service) -> None:
    """Raise RateLimited when the user has run the portal's own process very often.

    Nobody pays for it, and every run stays with what it was given: only this ends a loop.
    """
    most = settings.FREE_RUNS_PER_HOUR
    if not (service.provider.in_process and most):
        return
    lately = Job.objects.filter(owner=user, created_at__gt=now() - timedelta(hours=1))
    if lately.filter(service=service).count() >= most:
        raise RateLimited(
            _("You have run this %(most)s times within an hour. Try again later.") % {"most": most}
        )


def before(job: Job) -> int:
    """How many jobs for the same provider were there first and have not been sent either."""
    line = _at(job.service.provider).filter(_IN_LINE)
    return line.filter(created_at__lt=job.created_at).count()


def first_in_line(provider: Provider) -> Job | None:
    """Who takes a place that became free."""
    return _at(provider).filter(_IN_LINE).order_by("created_at", "pk").first()


def _at(provider: Provider) -> QuerySet[Job]:
    return Job.objects.filter(service__provider=provider)
