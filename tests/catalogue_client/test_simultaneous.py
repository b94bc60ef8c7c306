"""Several writers at once: one item per job, and changes visible in the order of their numbers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from catalogue_client.models import Item
from catalogue_client.services import publish
from tests.catalogue_client.world import People, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture(autouse=True)
def _server() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time by itself")


def in_own_connection(work: Callable[[], Any]) -> Any:
    try:
        return work()
    finally:
        connection.close()


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def test_one_job_published_by_many_workers_is_one_item() -> None:
    given = record(People().owner)
    together = threading.Barrier(6)

    def work() -> tuple[int, int]:
        together.wait(timeout=30)
        item = publish(record=given)
        return item.pk, item.revision

    with ThreadPoolExecutor(6) as pool:
        results = {f.result() for f in [pool.submit(in_own_connection, work) for _ in range(6)]}
    assert len(results) == 1
    assert Item.objects.count() == 1


def test_no_change_becomes_visible_after_a_later_one() -> None:
    """A harvester that has seen number n has seen every number below n."""
    owner = People().owner
    publish(record=record(owner))
    numbered, finish = threading.Event(), threading.Event()

    def slow() -> int:
        with transaction.atomic():
            item = publish(record=record(owner))
            numbered.set()
            finish.wait(timeout=30)
            return item.sequence

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(in_own_connection, slow)
        assert numbered.wait(timeout=30)
        second = pool.submit(in_own_connection, lambda: publish(record=record(owner)).sequence)
        while not (second.done() or somebody_waits_for_a_lock()):
            time.sleep(0.01)
        assert not second.done()
        finish.set()
        assert first.result() < second.result()
    assert sorted(Item.objects.values_list("sequence", flat=True)) == [1, 2, 3]
