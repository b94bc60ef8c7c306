"""Due work about providers: reading their services, asking whether they answer, telling owners."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from common.clock import now
from common.errors import Conflict, ProviderNonsense
from jobs import due
from jobs.models import Due, Job, JobEvent
from jobs.states import State
from providers import health, notices
from providers import services as providers
from providers.models import Provider, ProviderState
from providers.ports import IN_PROCESS

READ = "discover"
PROBE = "probe"
TELL = "notices"

TELL_SECONDS = 300
FORGOTTEN = timedelta(days=2)  # failures from before are not told any more
MOST_TOLD = 100

Reading = Literal["", "waiting", "running"]


def ensure() -> None:
    """Make sure that every approved provider is read and asked within its intervals."""
    due.schedule(kind=TELL, subject="all", at=now() + timedelta(seconds=TELL_SECONDS))
    rows = Due.objects.filter(kind__in=(READ, PROBE), done_at=None)
    planned = {(kind, subject): at for kind, subject, at in rows.values_list(*_PLANNED)}
    # What the portal itself offers comes with the software.
    for provider in Provider.objects.filter(state=ProviderState.APPROVED).exclude(
        protocol=IN_PROCESS
    ):
        for kind, seconds in ((READ, _reading_seconds(provider)), (PROBE, provider.probe_seconds)):
            at = planned.get((kind, str(provider.pk)))
            # Much later than it would be now: the interval was shortened.
            if seconds and (at is None or at > now() + timedelta(seconds=1.2 * seconds)):
                _plan(kind, provider, now() + timedelta(seconds=seconds * random.random()))  # noqa: S311


_PLANNED = ("kind", "subject", "due_at")


def read_soon(provider: Provider) -> None:
    """Have the provider's services read as soon as a worker is free.

    Raises Conflict for a suspended one.
    """
    if provider.state == ProviderState.SUSPENDED:
        raise Conflict("A suspended provider is not asked.")
    _plan(READ, provider, now())


def reading(provider: Provider) -> Reading:
    """Whether a reading of its services waits for a worker, or runs."""
    row = Due.objects.filter(kind=READ, subject=str(provider.pk), done_at=None).first()
    if row is None or row.parked_at is not None:
        return ""
    if row.lease_until is not None and row.lease_until > now():
        return "running"
    return "waiting" if row.due_at <= now() else ""


def read(row: Due) -> datetime | None:
    """Read a provider's services; again after its interval once it is approved."""
    provider = Provider.objects.filter(pk=row.subject).first()
    if provider is None or provider.state == ProviderState.SUSPENDED or provider.in_process:
        return None
    was_away = provider.failing_since is not None
    run = providers.discover(provider=provider, actor="worker")
    if was_away and not run.error:
        due.hurry(due.lane(provider.pk))
    return _next(_reading_seconds(provider)) if provider.approved else None


def probe(row: Due) -> datetime | None:
    """Ask a provider whether it is there; if it was away, what waited for it is due now."""
    provider = Provider.objects.filter(pk=row.subject, state=ProviderState.APPROVED).first()
    if provider is None or provider.in_process or not provider.probe_seconds:
        return None
    was_away = provider.failing_since is not None
    if health.probe(provider) and was_away:
        due.hurry(due.lane(provider.pk))
        if provider.discovery_error:
            read_soon(provider)
    return _next(provider.probe_seconds)


def tell(row: Due) -> datetime:
    """Mail the owners of providers that fail, are back, or whose runs failed."""
    del row
    moment = now()
    notices.watch(moment)
    failed = _failed_jobs().filter(finished_at__gt=moment - FORGOTTEN)
    ids = set(failed.values_list("service__provider_id", flat=True))
    concerned = Provider.objects.filter(pk__in=ids, failure_mails=True).select_related("owner")
    for provider in concerned:
        if notices.may_tell(provider, "jobs"):
            since = max(
                moment - FORGOTTEN, notices.told_of_jobs_at(provider) or provider.created_at
            )
            jobs = failed.filter(service__provider=provider, finished_at__gt=since)
            rows = jobs.order_by("finished_at").values_list(*_TOLD)[:MOST_TOLD]
            if rows:
                notices.jobs_failed(provider, list(rows))
    return _next(TELL_SECONDS)


_TOLD = ("finished_at", "service__title", "remote_id", "error")


def _failed_jobs() -> QuerySet[Job]:
    """Jobs that the provider began and did not bring to a good end, or could not be given."""
    not_understood = JobEvent.objects.filter(
        job=OuterRef("pk"), new_state=State.SUBMIT_REJECTED, reason=ProviderNonsense.code
    )
    failed = Q(state__in=(State.FAILED, State.SUBMIT_FAILED))
    return Job.objects.filter(failed | Q(Exists(not_understood), state=State.SUBMIT_REJECTED))


def _reading_seconds(provider: Provider) -> int:
    return provider.discovery_seconds or int(settings.DISCOVERY_SECONDS)


def _plan(kind: str, provider: Provider, at: datetime) -> None:
    due.schedule(kind=kind, subject=provider.pk, at=at, lane=due.lane(provider.pk))


def _next(seconds: float) -> datetime:
    """After that many seconds, more or less: providers are not asked all at once."""
    return now() + timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311 (jitter)
