"""Is the portal alive, and can it do its work? For load balancers and those on duty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Min
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from common.clock import now
from jobs.models import Due, WorkerBeat

log = structlog.get_logger(__name__)

WORKER_SEEN_WITHIN = timedelta(seconds=60)
WORK_WAITS_AT_MOST = timedelta(minutes=5)
OK = "ok"

_migrated = False


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; looks at nothing else, so that a slow database restarts nobody."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when jobs can be taken and done; otherwise 503, and which check failed."""
    checks = outcomes()
    good = all(outcome == OK for outcome in checks.values())
    return JsonResponse(
        {"status": "ready" if good else "not ready", "checks": checks}, status=200 if good else 503
    )


def outcomes() -> dict[str, str]:
    """Of each check: OK, or what is the matter."""
    return {name: _outcome(check) for name, check in CHECKS.items()}


def _outcome(check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError:
        log.exception("health.check_failed")
        return "the database does not answer"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _migrations() -> str:
    global _migrated  # noqa: PLW0603 (once applied they stay so while the process lives)
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return OK if _migrated else "some are not applied"


def _worker() -> str:
    seen = WorkerBeat.objects.aggregate(latest=Max("seen_at"))["latest"]
    if seen is None:
        return "none was ever seen"
    if seen < now() - WORKER_SEEN_WITHIN:
        return f"last seen {(now() - seen).total_seconds():.0f} s ago"
    return OK


def _due_work() -> str:
    waiting = Due.objects.filter(done_at=None, parked_at=None, due_at__lte=now())
    oldest = waiting.exclude(lease_until__gt=now()).aggregate(oldest=Min("due_at"))["oldest"]
    if oldest is not None and oldest < now() - WORK_WAITS_AT_MOST:
        return f"the oldest waits for {(now() - oldest).total_seconds():.0f} s"
    return OK


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "worker": _worker,
    "due_work": _due_work,
}
