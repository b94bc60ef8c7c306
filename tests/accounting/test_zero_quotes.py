"""A quote of 0: free only when nothing has a price; else the overrun policy decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounting.accounts import set_overrun_policy
from accounting.bills import expire_bills, job_ended, open_bill, release_bill
from accounting.check import findings
from accounting.models import JobBill, Transfer, Unit
from accounting.prices.price_lists import RateSpec
from accounting.requests.holds import open_holds
from accounting.selectors import job_cost
from accounting.statements.months import month_of
from accounting.statements.spending import figures
from accounting.usage.overview import missing_usage
from common.clock import now
from portal.templatetags.prices import released
from tests.accounting.scene import SERVICE, Scene, kinds, send, usage
from tests.factories import CREDIT, make_user

pytestmark = pytest.mark.django_db
FIRST_MINUTE_FREE = {(SERVICE, Unit.CPU_CORE_HOUR): RateSpec(price=360_000, free_quantity=60)}


def scene(policy: str = "DEBT", **given: Any) -> Scene:
    found = Scene(rates=given.pop("rates", FIRST_MINUTE_FREE), **given)
    operator = make_user(is_staff=True)
    set_overrun_policy(actor=operator, account=found.account, policy=policy, reason="why")
    found.account.refresh_from_db()
    return found


def reread() -> JobBill:
    return JobBill.objects.get()


@pytest.mark.parametrize("usage_first", [True, False])
@pytest.mark.parametrize(
    ("policy", "credits", "charged"),
    [
        ("CAP_AT_HOLD", 10, 0),
        ("UP_TO_BALANCE", 10, 20 * CREDIT // 100),
        ("UP_TO_BALANCE", 0, 0),
        ("DEBT", 0, 20 * CREDIT // 100),
    ],
)
def test_what_is_used_is_charged_as_the_policy_says(
    policy: str, credits: int, charged: int, usage_first: bool
) -> None:
    its = scene(policy, credits=credits)
    bill = its.job()
    assert (bill.state, bill.hold, bill.limit_amount, bill.quote.total) == ("OPEN", None, 0, 0)
    if usage_first:
        send(usage(bill.pk, 2_060))
    job_ended(bill.pk, successful=True)
    assert findings() == []
    if not usage_first:
        assert (reread().state, list(missing_usage())) == ("AWAITING_USAGE", [bill])
        assert not open_holds().exists()
        send(usage(bill.pk, 2_060))
    bill = reread()
    assert (bill.state, bill.used, bill.charged) == ("CHARGED", 200_000, charged)
    assert bill.uncharged == 200_000 - charged
    assert its.balances() == (charged, 0, charged)
    assert bill.usage_records.get().state == "CHARGED"
    assert released(job_cost(bill.pk)) == 0
    send(usage(bill.pk, 10))
    assert its.balances() == (0, 0, 0)
    assert findings() == []


def test_spending_on_it_is_spending_on_its_service() -> None:
    its = scene("DEBT", credits=10)
    bill = its.job()
    job_ended(bill.pk, successful=True)
    for cpu in (2_060, 3_060, 2_560):  # a charge, one more, and a refund
        send(usage(bill.pk, cpu))
    month = month_of(now())
    (spent,) = figures(its.account, first=month, last=month)
    assert (spent.service_id, spent.member_id) == (SERVICE, its.member.pk)
    assert (spent.amount, spent.charges) == (250_000, 2)


def test_a_price_without_an_estimate_is_a_price() -> None:
    its = scene(rates={(SERVICE, Unit.HS23_HOUR): RateSpec(price=360_000)})
    bill = its.job()
    assert (bill.state, bill.quote.lines) == ("OPEN", [])


def test_a_price_of_nothing_is_none() -> None:
    its = scene(rates={(SERVICE, Unit.CPU_CORE_HOUR): RateSpec(price=0)})
    bill = its.job()
    job_ended(bill.pk, successful=True)
    assert reread().state == "FREE"


def test_it_is_released_as_others_are() -> None:
    its = scene()
    failed, silent, given_up = its.job(), its.job(), its.job()
    job_ended(failed.pk, successful=False)
    job_ended(silent.pk, successful=True)
    release_bill(given_up.pk, reason="why", actor="user:1")
    assert expire_bills(now() + timedelta(seconds=settings.USAGE_WAIT_SECONDS + 1)) == 1
    send(*(usage(bill.pk, 100) for bill in (failed, silent, given_up)))
    assert set(JobBill.objects.values_list("state", flat=True)) == {"RELEASED"}
    assert not Transfer.objects.filter(kind__in=("HOLD", "RELEASE", "CHARGE")).exists()
    assert findings() == []


def test_a_ceiling_is_held_and_settled_as_any_hold() -> None:
    its = scene("CAP_AT_HOLD")
    quote = its.quote()
    bill = open_bill(
        job_id=quote.pk, quote=quote, charge_unsuccessful=False, actor="x", ceiling=1_500
    )
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 100))
    assert [amount for _kind, amount in kinds(bill)] == [1_500, 1_500]


def test_the_console_lists_it_without_a_hold(client: Client) -> None:
    its = scene()
    bill = its.job()
    job_ended(bill.pk, successful=True)
    client.force_login(make_user(is_superuser=True, is_staff=True))
    page = client.get(reverse("pages:usage_missing"))
    assert page.status_code == 200
    assert str(bill.pk) in page.content.decode()
