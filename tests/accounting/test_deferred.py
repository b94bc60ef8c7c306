"""Accounts that are not open: what they refuse to pay or give back is put off, not cancelled."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from django.db.models import F

from accounting.accounts import set_overrun_policy, set_status
from accounting.bills import expire_bills, job_ended
from accounting.check import findings
from accounting.deferred import settle_deferred
from accounting.models import Account, JobBill, OverrunPolicy, UsageBill, UsageRecord
from common.clock import now
from people.models import User
from tests.accounting import test_usage_jobless as jobless_tests
from tests.accounting.scene import Scene, kinds, send, usage
from tests.accounting.test_usage_jobless import JANUARY, cloud, machine
from tests.factories import CREDIT, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return make_user(is_superuser=True, is_staff=True)


@pytest.fixture
def scene() -> Scene:
    return jobless_tests.scene.__wrapped__()  # type: ignore[attr-defined, no-any-return]


def becomes(status: str, account: Account, actor: User) -> None:
    set_status(actor=actor, account=account, status=status, reason="why")


def spent_on(scene: Scene) -> int:
    return scene.balances()[0]


def notes() -> set[bool]:
    rows = UsageRecord.objects.filter(superseded_by=None)
    return {bool(note) for note in rows.values_list("note", flat=True)}


@pytest.mark.parametrize(("policy", "cpu"), [("DEBT", 200_000), ("UP_TO_BALANCE", 1_000)])
def test_freezing_and_opening_escapes_no_charge(
    scene: Scene, operator: User, policy: str, cpu: int
) -> None:
    set_overrun_policy(actor=operator, account=scene.account, policy=policy, reason="x")
    scene.account.refresh_from_db()
    admin = scene.group.memberships.get(role="admin").user
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    becomes("FROZEN", scene.account, admin)
    send(usage(bill.pk, cpu))
    frozen = JobBill.objects.get()
    assert (frozen.charged, frozen.deferred) == (6_000, cpu * 100 - 6_000)
    assert (notes(), findings()) == ({True}, [])
    expire_bills(now())
    assert JobBill.objects.get().charged == 6_000
    becomes("OPEN", scene.account, admin)
    paid = JobBill.objects.get()
    assert (paid.charged, paid.deferred, paid.uncharged) == (cpu * 100, 0, 0)
    assert scene.balances() == (cpu * 100, 0, cpu * 100)
    settle_deferred()
    assert (len(kinds(bill)), notes(), findings()) == (3, {False}, [])


def test_a_frozen_provider_gives_back_when_it_is_open(scene: Scene, operator: User) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 60))
    cloud(machine(60, JANUARY))
    becomes("FROZEN", scene.provider_account, operator)
    send(usage(bill.pk, 10))
    cloud(machine(20, JANUARY + 1))
    assert scene.balances() == (12_000, 0, 12_000)
    assert [b.deferred for b in (JobBill.objects.get(), UsageBill.objects.get())] == [
        -5_000,
        -4_000,
    ]
    assert (notes(), findings()) == ({True}, [])
    becomes("OPEN", scene.provider_account, operator)
    assert scene.balances() == (3_000, 0, 3_000)
    assert (notes(), findings()) == ({False}, [])


@pytest.mark.parametrize("policy", OverrunPolicy.values)
def test_usage_without_a_job_waits_for_a_frozen_account(
    scene: Scene, operator: User, policy: str
) -> None:
    set_overrun_policy(actor=operator, account=scene.account, policy=policy, reason="x")
    becomes("FROZEN", scene.account, operator)
    cloud(machine(60, JANUARY))
    bill = UsageBill.objects.get()
    assert (bill.charged, bill.uncharged, bill.deferred) == (0, 6_000, 6_000)
    assert (notes(), findings()) == ({True}, [])
    # More that was not agreed changes nothing about what was.
    cloud(machine(90, JANUARY + 1), sender=jobless_tests.Sender(bill.provider_id))
    with mock.patch("accounting.accounts.opened.send"):  # as after a crash: the sweep is left
        becomes("OPEN", scene.account, operator)
    assert spent_on(scene) == 0
    expire_bills(now())
    bill = UsageBill.objects.get()
    assert (bill.used, bill.charged, bill.uncharged, bill.deferred) == (9_000, 6_000, 3_000, 0)
    expire_bills(now())
    assert scene.balances() == (6_000, 0, 6_000)
    assert (notes(), findings()) == ({True}, [])


def test_what_is_not_ripe_is_not_tried_and_a_balance_is_not_waited_for(
    scene: Scene, operator: User, django_assert_num_queries: Any
) -> None:
    set_overrun_policy(actor=operator, account=scene.account, policy="UP_TO_BALANCE", reason="x")
    scene.account.refresh_from_db()
    bills = [scene.job() for _ in range(3)]
    for bill in bills:
        job_ended(bill.pk, successful=True)
    becomes("FROZEN", scene.account, operator)
    send(*(usage(bill.pk, 100) for bill in bills))
    assert JobBill.objects.exclude(deferred=0).count() == 3
    with django_assert_num_queries(4):
        settle_deferred()
    cloud(machine(200_000, JANUARY))
    becomes("OPEN", scene.account, operator)
    assert scene.balances()[0] == 10 * CREDIT  # all there is
    assert not JobBill.objects.exclude(deferred=0).exists()
    assert not UsageBill.objects.exclude(deferred=0).exists()
    assert findings() == []


def test_a_debt_that_nobody_collects_is_found(scene: Scene, operator: User) -> None:
    set_overrun_policy(actor=operator, account=scene.account, policy="DEBT", reason="x")
    scene.account.refresh_from_db()
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    becomes("FROZEN", scene.account, operator)
    send(usage(bill.pk, 100))
    cloud(machine(10, JANUARY))
    JobBill.objects.update(deferred=0)
    assert any("owes" in text for text in findings())
    JobBill.objects.update(deferred=F("used") + 1)
    UsageBill.objects.update(deferred=-1)
    assert sum("waits for an account" in text for text in findings()) == 2
