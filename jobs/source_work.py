"""Due work about catalogues of others: asking how they are, and reading static ones."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from time import monotonic

from catalogue_client.models import CatalogueSource, SourceKind
from catalogue_client.sources import crawling, services
from common.clock import now
from jobs import due
from jobs.models import Due

CHECK = "source_check"
CRAWL = "source_crawl"
CHECK_SECONDS = 1800
CRAWL_SECONDS = 24 * 3600
RETRY_SECONDS = 3600  # after a crawl that found nobody
RENEW_SECONDS = 10


def ensure() -> None:
    """Make sure that every source is asked, and every static one read, within its interval."""
    opened = Due.objects.filter(kind__in=(CHECK, CRAWL), done_at=None)
    planned = set(opened.values_list("kind", "subject"))
    for pk, kind in CatalogueSource.objects.values_list("pk", "kind"):
        static = kind == SourceKind.STATIC_STAC
        work, seconds = (CRAWL, 0) if static else (CHECK, CHECK_SECONDS)
        if (work, str(pk)) not in planned:
            _plan(work, pk, now() + timedelta(seconds=seconds * random.random()))  # noqa: S311


def crawl_soon(source: CatalogueSource) -> None:
    """Have a static catalogue read as soon as a worker is free; others need none of that."""
    if source.is_crawled:
        _plan(CRAWL, source.pk, now())


def check(row: Due) -> datetime | None:
    """Ask a source for its capabilities."""
    source = CatalogueSource.objects.filter(pk=row.subject).first()
    if source is None or source.is_crawled:
        return None
    services.check(source)
    return _next(CHECK_SECONDS)


def crawl(row: Due) -> datetime | None:
    """Read a static catalogue, as long as the lease of the row is ours."""
    source = CatalogueSource.objects.filter(pk=row.subject).first()
    if source is None or not source.is_crawled:
        return None
    renewed = monotonic()

    def go_on() -> bool:
        nonlocal renewed
        if monotonic() - renewed < RENEW_SECONDS:
            return True
        renewed = monotonic()
        return due.renew(row)

    return _next(CRAWL_SECONDS if crawling.crawl(source, go_on=go_on) else RETRY_SECONDS)


def _plan(kind: str, source_id: int, at: datetime) -> None:
    due.schedule(kind=kind, subject=source_id, at=at, lane=f"source:{source_id}")


def _next(seconds: float) -> datetime:
    """After that many seconds, more or less: sources are not asked all at once."""
    return now() + timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311 (jitter)
