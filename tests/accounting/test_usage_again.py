"""What comes again: revisions of what an operator let through, and usage on its way to its job."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from unittest import mock

import pytest
from django.db import connection, transaction

from accounting.bills import expire_bills, job_dispatched, job_ended
from accounting.check import findings
from accounting.models import JobBill, Unit, UsageBill, UsageName, UsageRecord
from accounting.prices.price_lists import RateSpec, publish_rates
from accounting.usage import desk, jobless
from common.clock import now
from tests.accounting.scene import PROVIDER, SERVICE, Scene, send, usage
from tests.factories import make_user

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OTHER = PROVIDER + 1
PRICE = RateSpec(price=360_000)


def current() -> UsageRecord:
    return UsageRecord.objects.get(superseded_by=None)


@pytest.mark.django_db
def test_less_of_what_an_operator_let_through_is_given_back_and_more_is_not_charged() -> None:
    with mock.patch("common.clock.timezone.now", return_value=LONG_AGO):
        scene = Scene(rates={(SERVICE, Unit.CPU_CORE_HOUR): PRICE})
        rates = {(0, Unit.CPU_CORE_HOUR): PRICE}
        publish_rates(actor="test", provider_id=OTHER, rates=rates)
    bill = scene.job()
    UsageName.objects.create(
        provider_id=OTHER,
        kind="user",
        name="CN=somebody else",
        account=scene.account,
        created_by="test",
        created_at=LONG_AGO,
    )
    send(usage(bill.pk, 100), provider_id=OTHER)  # names a job of another provider
    assert current().state == "HELD_BACK"
    send(usage(bill.pk, 90), provider_id=OTHER)
    assert (current().state, UsageBill.objects.count()) == ("HELD_BACK", 0)
    desk.release_held_back(current(), actor=make_user(is_superuser=True, is_staff=True))
    assert scene.balances()[0] == 9_000
    for cpu, spent in ((10, 1_000), (50, 1_000), (5, 500)):
        send(usage(bill.pk, cpu), provider_id=OTHER)
        assert scene.balances()[0] == spent
        assert (current().state, current().cost) == ("CHARGED", cpu * 100)
        assert bool(current().note) == (cpu == 50)
        assert findings() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer")
def test_usage_that_others_decide_about_is_left_to_the_sweep() -> None:
    scene = Scene()
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    send(usage("remote-1", 10))
    reserved, dispatched = threading.Event(), threading.Event()

    def revise() -> None:
        with transaction.atomic():
            jobless.reserve([PROVIDER], alone=False)
            reserved.set()
            dispatched.wait(timeout=30)
        connection.close()

    other = threading.Thread(target=revise)
    other.start()
    assert reserved.wait(timeout=30)
    job_dispatched(bill.pk, "remote-1")
    dispatched.set()
    other.join()
    assert (current().bill_id, JobBill.objects.get().state) == (None, "AWAITING_USAGE")
    expire_bills(now())
    assert (current().bill_id, scene.balances()) == (bill.pk, (1_000, 0, 1_000))
    assert findings() == []
