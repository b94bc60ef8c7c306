"""The same news to several workers at once: one charge, whichever comes first."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dirq.queue import Queue
from django.db import connection, transaction

from accounting.bills import expire_bills, job_dispatched, job_ended, open_bill
from accounting.check import findings
from accounting.models import JobBill, PriceList, TransferKind, Unit, UsageRecord
from accounting.prices.price_lists import RateSpec, publish_rates
from accounting.prices.quotes import check_quote
from accounting.sources.dirq import ingest_queue
from accounting.usage import loading
from accounting.usage import rows as usage_rows
from accounting.usage.apel import write
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from common.clock import now
from common.errors import Conflict, QuoteExpired
from tests.accounting.scene import PROVIDER, SERVICE, Scene, kinds, send, usage
from tests.accounting.test_usage_jobless import (
    FEBRUARY,
    JANUARY,
    LONG_AGO,
    RATES,
    cloud,
    known_as,
    machine,
    summary,
)

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 12


def slowly(read: Callable[..., Any]) -> Callable[..., Any]:
    def read_and_wait(*args: Any, **given: Any) -> Any:
        found = read(*args, **given)
        time.sleep(random.uniform(0, 0.02))
        return found

    return read_and_wait


@pytest.fixture(autouse=True)
def wide_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the others time between what is read and what is written because of it."""
    for module, name in ((usage_rows, "current_rows"), (loading, "_earlier")):
        monkeypatch.setattr(module, name, slowly(getattr(module, name)))


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all acts in threads that start together; results or exceptions, in order."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=30)
            return act()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def failures(results: list[Any]) -> list[Exception]:
    return [r for r in results if isinstance(r, Exception)]


def test_much_of_the_same_at_once_charges_once() -> None:
    def news(bill: JobBill) -> list[Callable[[], Any]]:
        body = write([usage(bill.pk, 10)])
        return [
            lambda: job_ended(bill.pk, successful=True),
            lambda: job_ended(bill.pk, successful=True),
            lambda: import_message(body, source="rest", sender=Sender(PROVIDER)),
            lambda: import_message(body, source="dirq", sender=Sender(PROVIDER)),
            lambda: send(usage(bill.pk, 10), usage("unknown", 10)),
        ]

    scene = Scene()
    for number in range(ROUNDS):
        bill = scene.job()
        assert failures(at_once(news(bill))) == []
        assert kinds(bill) == [(TransferKind.HOLD, 6_000), (TransferKind.CHARGE, 1_000)]
        assert scene.balances() == (1_000 * (number + 1), 0, 1_000 * (number + 1))
    assert findings() == []


def test_one_record_and_one_end_at_once_charge_once() -> None:
    scene = Scene()
    for number in range(1, ROUNDS + 1):
        bill = scene.job()
        news = [
            partial(job_ended, bill.pk, successful=True),
            partial(send, usage(bill.pk, 10)),
        ]
        assert failures(at_once(news)) == []
        assert scene.balances() == (1_000 * number, 0, 1_000 * number)
    assert findings() == []


def test_steps_and_revisions_at_once_add_up_once() -> None:
    def news(bill: JobBill) -> list[Callable[[], Any]]:
        steps = [usage(bill.pk, 10, step=step) for step in range(3)]
        return [
            lambda: job_ended(bill.pk, successful=True),
            *[lambda record=record: send(record) for record in steps],
            *[lambda record=record: send(record, usage("unknown", 1)) for record in steps],
        ]

    scene = Scene()
    for number in range(ROUNDS):
        bill = scene.job()
        assert failures(at_once(news(bill))) == []
        bill = JobBill.objects.get(pk=bill.pk)
        assert (bill.used, bill.charged) == (3_000, 3_000)
        assert bill.usage_records.count() == 3
        assert scene.balances()[0] == 3_000 * (number + 1)
    assert findings() == []


def test_dispatch_record_and_end_at_once_leave_nothing_behind() -> None:
    def news(bill: JobBill, remote: str) -> list[Callable[[], Any]]:
        @transaction.atomic
        def dispatched_and_ended() -> None:
            job_dispatched(bill.pk, remote)
            job_ended(bill.pk, successful=True)

        return [dispatched_and_ended, lambda: send(usage(remote, 10))]

    scene = Scene()
    for number in range(1, ROUNDS + 1):
        assert failures(at_once(news(scene.job(), f"remote-{number}"))) == []
        expire_bills(now())  # neither may have seen the other
        assert scene.balances() == (1_000 * number, 0, 1_000 * number)


def test_messages_over_the_same_accounts_do_not_block_each_other() -> None:
    one, two = Scene(), Scene()
    bills = [scene.job() for _ in range(10) for scene in (one, two)]
    for bill in bills:
        job_ended(bill.pk, successful=True)
    messages = [bills[0::4], bills[1::4][::-1], bills[2::4], bills[3::4][::-1]]
    acts = [lambda part=part: send(*[usage(b.pk, 10) for b in part]) for part in messages]
    assert failures(at_once(acts)) == []
    assert [one.balances()[:2], two.balances()[:2]] == [(10_000, 0)] * 2
    assert findings() == []


def test_months_of_a_machine_and_a_summary_with_its_jobs_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as past:
        past.setattr("common.clock.timezone.now", lambda: LONG_AGO)
        scene = Scene(rates=RATES)
    known_as(scene.account, "group", "tep.urban")
    for number in range(1, ROUNDS + 1):
        site, machine_id = f"SITE-{number}", {"VMUUID": f"vm-{number}"}
        months = machine(10, JANUARY, **machine_id), machine(25, FEBRUARY, **machine_id)
        acts = [
            *[partial(cloud, month) for month in months],
            partial(summary, 50, Site=site),
            partial(send, usage("a job", 5, Site=site)),
        ]
        assert failures(at_once(acts)) == []
        assert scene.balances()[0] == 2_500 * number
    assert findings() == []


def test_one_quote_serves_one_of_two_submissions() -> None:
    scene = Scene()

    @transaction.atomic
    def submit(quote_id: uuid.UUID) -> JobBill:
        quote = check_quote(
            quote_id, member=scene.member, account=scene.account, fingerprint="f" * 64
        )
        return open_bill(job_id=uuid.uuid4(), quote=quote, charge_unsuccessful=False, actor="test")

    for _ in range(ROUNDS):
        results = at_once([partial(submit, scene.quote().pk)] * 3)
        assert [type(r) for r in failures(results)] == [QuoteExpired] * 2
    assert JobBill.objects.count() == ROUNDS


def test_prices_published_at_once_are_versions_in_a_row() -> None:
    scene = Scene()
    acts = [
        partial(
            publish_rates,
            actor="x",
            provider_id=PROVIDER,
            rates={(SERVICE, Unit.JOB): RateSpec(price)},
        )
        for price in range(1, 5)
    ]
    results = at_once(acts)
    assert {type(r) for r in failures(results)} <= {Conflict}
    published = [r for r in results if isinstance(r, PriceList)]
    assert sorted(r.version for r in published) == list(range(2, len(published) + 2))
    assert scene.quote().total == max(published, key=lambda r: r.version).rates.get().price


def test_two_readers_of_one_queue_take_every_message_once(tmp_path: Path) -> None:
    scene = Scene()
    bills = [scene.job() for _ in range(12)]
    queue = Queue(str(tmp_path / "incoming"), schema={"body": "string", "signer": "string"})
    for bill in bills:
        job_ended(bill.pk, successful=True)
        queue.add({"body": write([usage(bill.pk, 10)]).decode(), "signer": "/CN=x"})
    reports = at_once(
        [lambda: ingest_queue(tmp_path / "incoming", sender=Sender(PROVIDER)) for _ in range(3)]
    )
    assert failures(reports) == []
    assert sum(r.loaded for r in reports) == 12
    assert queue.count() == 0
    assert UsageRecord.objects.count() == 12
    assert scene.balances() == (12_000, 0, 12_000)
