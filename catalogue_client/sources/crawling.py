"""Reading a static catalogue into the table that is searched instead of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.db import transaction

from catalogue_client.models import CachedRecord, CatalogueSource
from catalogue_client.sources.adapters.static_stac import Crawl
from catalogue_client.sources.ports import Record
from catalogue_client.sources.records import period_of
from catalogue_client.sources.registry import opened_source
from catalogue_client.stac import words_of
from common.clock import now
from common.errors import PortalError

AT_ONCE = 100
_CHANGED = (
    "document", "words", "west", "south", "east", "north", "start", "end", "crawl",
)  # fmt: skip


def crawl(source: CatalogueSource, *, go_on: Callable[[], bool] = lambda: True) -> bool:
    """Read all of it and forget what is no longer there; whether it answered.

    What a crawl that was not complete did not see is kept. `go_on` is asked between documents.
    Calls the network: not inside a transaction.
    """
    number, moment = uuid.uuid4(), now()
    mine = CatalogueSource.objects.filter(pk=source.pk, url=source.url)
    try:
        _adapter, endpoint = opened_source(source, None)
        walk = Crawl(endpoint, go_on)
        rows = _columns(walk.records())
        while some := list(islice(rows, AT_ONCE)):
            _store(source, number, some)
    except PortalError as error:
        mine.update(checked_at=moment, check_error=error.detail[:1000])
        return False
    with transaction.atomic():
        if walk.complete:
            source.records.exclude(crawl=number).delete()
        mine.update(
            crawled_at=now(), crawl_notes=walk.notes, checked_at=moment, answered_at=moment,
            check_error="",
        )  # fmt: skip
    return True


def _columns(records: Iterator[Record]) -> Iterator[dict[str, Any]]:
    for record in records:
        west, south, east, north = record.bbox or (None,) * 4
        start, end = period_of(record.document)
        yield {
            "collection": record.collection, "identifier": record.id, "document": record.document,
            "words": f"{record.id.lower()} {words_of(record.document['properties'])}",
            "west": west, "south": south, "east": east, "north": north,
            "start": start, "end": end,
        }  # fmt: skip


def _store(source: CatalogueSource, crawl: uuid.UUID, some: list[dict[str, Any]]) -> None:
    once = {(one["collection"], one["identifier"]): one for one in some}
    rows = [CachedRecord(source=source, crawl=crawl, **one) for one in once.values()]
    CachedRecord.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=("source", "collection", "identifier"),
        update_fields=_CHANGED,
    )
