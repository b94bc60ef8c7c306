"""The caller's own jobs, narrowed and paged (18-062r2 §11, requirements class job-list)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _

from common.clock import now
from jobs.models import Job
from jobs.selectors import JobFilter, jobs_of
from wps_proxy.offers import Offer
from wps_proxy.ogcapi.problems import WrongParameter
from wps_proxy.ogcapi.status import (
    ACCEPTED,
    DISMISSED,
    FAILED,
    RUNNING,
    SUCCESSFUL,
    WORDS,
    states_of,
)

DEFAULT_LIMIT, MOST = 10, 1000
_STATUSES = (ACCEPTED, RUNNING, SUCCESSFUL, FAILED, DISMISSED)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2}))?")
_LONGEST = 10**9  # seconds
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def limit_of(request: HttpRequest) -> int:
    """Entries on a page, from 1 on; more than 1000 is taken as 1000. Raises WrongParameter."""
    text = request.GET.get("limit", "").strip()
    if not text:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise WrongParameter("limit", _("The limit is a whole number from 1 on."))
    return min(int(text), MOST)


def jobs_at(offer: Offer, request: HttpRequest) -> QuerySet[Job]:
    """What the request asks for, newest first. Raises WrongParameter."""
    jobs = jobs_of(offer.user, JobFilter(own=True)).filter(state__in=list(WORDS))
    if offer.provider:
        jobs = jobs.filter(service__provider__slug=offer.provider)
    if offer.application:
        jobs = jobs.filter(application=offer.app)
    jobs = _after(jobs, request)  # the job that it names need not fit the rest
    for narrowed in (_by_type, _by_status, _by_created, _by_duration):
        jobs = narrowed(jobs, request)
    return _by_process(jobs, offer, request).order_by("-created_at", "-id")


def _several(request: HttpRequest, name: str) -> list[str]:
    """The values of a parameter, repeated or with commas between."""
    return [one for text in request.GET.getlist(name) for one in text.split(",") if one]


def _by_type(jobs: QuerySet[Job], request: HttpRequest) -> QuerySet[Job]:
    if any(one != "process" for one in _several(request, "type")):
        raise WrongParameter("type", _("All jobs here are of the type process."))
    return jobs


def _by_status(jobs: QuerySet[Job], request: HttpRequest) -> QuerySet[Job]:
    wanted = _several(request, "status")
    if not wanted:
        return jobs
    if unknown := [one for one in wanted if one not in _STATUSES]:
        text = _("There is no status “%(word)s”; there are %(words)s.")
        words = {"word": unknown[0][:40], "words": ", ".join(_STATUSES)}
        raise WrongParameter("status", text % words)
    return jobs.filter(state__in=[state for one in wanted for state in states_of(one)])


def _by_process(jobs: QuerySet[Job], offer: Offer, request: HttpRequest) -> QuerySet[Job]:
    """A process that is not there has no jobs; identifiers may have commas in them."""
    named = request.GET.getlist("processID")
    wanted = {one for text in named for one in (text, *text.split(",")) if one}
    if not wanted:
        return jobs
    any_of = Q(pk=None)
    for one in wanted:
        slug, _dot, own = one.partition(".")
        if offer.provider:
            slug, own = offer.provider, one
        any_of |= Q(service__provider__slug=slug, service__identifier=own)
    return jobs.filter(any_of)


def _by_created(jobs: QuerySet[Job], request: HttpRequest) -> QuerySet[Job]:
    """`datetime`: a moment, or an interval with `..` or nothing for an open side."""
    text = request.GET.get("datetime", "").strip()
    if not text:
        return jobs
    first, slash, last = text.partition("/")
    begin, end = _moment(first, last=False), _moment(last if slash else first, last=True)
    if (begin is None and end is None) or (begin and end and begin > end):
        raise _wrong_time()
    if begin is not None:
        jobs = jobs.filter(created_at__gte=begin)
    if end is not None:
        jobs = jobs.filter(created_at__lte=end)
    return jobs


def _moment(text: str, *, last: bool) -> datetime | None:
    """The first or the last moment that the text means; None for an open side."""
    text = text.strip().upper()
    if text in ("", ".."):
        return None
    if not _MOMENT.fullmatch(text):
        raise _wrong_time()
    is_day = "T" not in text and " " not in text
    try:
        moment = datetime.fromisoformat(f"{text}T00:00:00Z" if is_day else text).astimezone(UTC)
        if last and "." not in text:
            moment += (DAY if is_day else SECOND) - timedelta.resolution
    except (ValueError, OverflowError):
        raise _wrong_time() from None
    return moment


def _wrong_time() -> WrongParameter:
    text = _("A moment such as 2026-03-31T12:00:00Z, or an interval: begin/end, ../end, begin/.. .")
    return WrongParameter("datetime", text)


def _by_duration(jobs: QuerySet[Job], request: HttpRequest) -> QuerySet[Job]:
    """From the start to the end, or to now for what is running; jobs that never ran have none."""
    for name, compared in (("minDuration", "gte"), ("maxDuration", "lte")):
        text = request.GET.get(name, "").strip()
        if not text:
            continue
        if not re.fullmatch(r"[0-9]{1,10}", text):
            raise WrongParameter(name, _("A duration is a whole number of seconds."))
        seconds = timedelta(seconds=min(int(text), _LONGEST))
        then = ExpressionWrapper(F("started_at") + Value(seconds), output_field=DateTimeField())
        ended = Coalesce("finished_at", Value(now()), output_field=DateTimeField())
        jobs = jobs.filter(started_at__isnull=False).alias(ended=ended)
        jobs = jobs.filter(**{f"ended__{compared}": then})
    return jobs


def _after(jobs: QuerySet[Job], request: HttpRequest) -> QuerySet[Job]:
    """What comes after a job on its page, whatever was added before it since."""
    text = request.GET.get("after", "").strip()
    if not text:
        return jobs
    try:
        job = jobs.filter(pk=UUID(text)).first()
    except ValueError:
        job = None
    if job is None:
        raise WrongParameter("after", _("There is no such job."))
    older = Q(created_at__lt=job.created_at)
    return jobs.filter(older | Q(created_at=job.created_at, pk__lt=job.pk))
