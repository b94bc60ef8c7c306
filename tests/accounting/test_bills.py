"""The bill of a job: held once, charged once for what was used, never above the quote."""

from __future__ import annotations

import pytest
from django.db import transaction

from accounting.accounts import set_overrun_policy
from accounting.bills import job_ended, open_bill, release_bill
from accounting.check import findings
from accounting.credit.transfers import issue_credit, set_cap
from accounting.models import BillState, JobBill, Transfer, TransferKind, Unit
from accounting.prices.price_lists import RateSpec
from accounting.requests.adjustments import propose_refund
from common import clock
from common.errors import Conflict, InsufficientCredit, MemberLimitReached
from tests.accounting.scene import SERVICE, Scene, kinds, reread, send, usage
from tests.factories import make_user

pytestmark = pytest.mark.django_db
HOLD, CHARGE, RELEASE = TransferKind.HOLD, TransferKind.CHARGE, TransferKind.RELEASE


@pytest.fixture
def scene() -> Scene:
    return Scene()


# --- opening ---------------------------------------------------------------------------------


def test_opening_holds_the_quote_for_the_member_once(scene: Scene) -> None:
    bill = scene.job()
    again = open_bill(job_id=bill.pk, quote=bill.quote, charge_unsuccessful=False, actor="x")
    assert again == bill
    assert scene.balances() == (0, 6_000, 0)
    hold = Transfer.objects.get(reference=str(bill.pk))
    assert (hold, hold.member_id, hold.amount) == (bill.hold, scene.member.pk, 6_000)
    assert hold.expires_at is not None
    with pytest.raises(Conflict):
        open_bill(job_id=bill.pk, quote=scene.quote(), charge_unsuccessful=False, actor="x")


def test_what_the_account_or_the_limit_does_not_cover_leaves_nothing(scene: Scene) -> None:
    poor = Scene(credits=0)
    with pytest.raises(InsufficientCredit), transaction.atomic():
        poor.job()
    admin = scene.group.memberships.get(role="admin").user
    set_cap(actor=admin, group=scene.group, member=scene.member, limit=5_999)
    with pytest.raises(MemberLimitReached), transaction.atomic():
        scene.job()
    assert not JobBill.objects.exists()
    assert scene.balances() == (0, 0, 0)


def test_free_jobs_hold_and_charge_nothing(scene: Scene) -> None:
    bill = scene.job(service_id=SERVICE + 1)
    assert (bill.state, bill.hold) == (BillState.FREE, None)
    send(usage(bill.pk, 100))
    job_ended(bill.pk, successful=True)
    release_bill(bill.pk, reason="any", actor="test")
    assert kinds(bill) == []
    assert [r.state for r in bill.usage_records.all()] == ["FREE"]
    assert reread(bill).state == BillState.FREE


# --- settling --------------------------------------------------------------------------------


@pytest.mark.parametrize("usage_first", [True, False])
@pytest.mark.parametrize(
    ("cpu", "charged", "uncharged"), [(20, 2_000, 0), (60, 6_000, 0), (90, 6_000, 3_000)]
)
def test_usage_and_end_in_either_order_charge_the_same(
    scene: Scene, usage_first: bool, cpu: int, charged: int, uncharged: int
) -> None:
    bill = scene.job()
    if usage_first:
        send(usage(bill.pk, cpu))
        assert scene.balances() == (0, 6_000, 0)
        assert [r.state for r in bill.usage_records.all()] == ["MATCHED"]
        job_ended(bill.pk, successful=True)
    else:
        job_ended(bill.pk, successful=True)
        assert reread(bill).state == BillState.AWAITING_USAGE
        assert scene.balances() == (0, 6_000, 0)
        send(usage(bill.pk, cpu))
    bill = reread(bill)
    assert (bill.state, bill.used, bill.charged, bill.uncharged) == (
        BillState.CHARGED,
        charged + uncharged,
        charged,
        uncharged,
    )
    (record,) = bill.usage_records.all()
    assert (record.state, record.cost) == ("CHARGED", charged + uncharged)
    assert [line["quantity"] for line in record.lines] == [str(cpu)]
    assert kinds(bill) == [(HOLD, 6_000), (CHARGE, charged)]
    assert scene.balances() == (charged, 0, charged)
    assert bill.charge.member_id == scene.member.pk
    assert findings() == []


def test_nothing_used_releases_the_hold_and_later_usage_is_still_charged(scene: Scene) -> None:
    bill = scene.job()
    send(usage(bill.pk, 0))
    job_ended(bill.pk, successful=True)
    assert kinds(bill) == [(HOLD, 6_000), (RELEASE, 6_000)]
    send(usage(bill.pk, 10, step=1))
    assert kinds(bill)[2:] == [(CHARGE, 1_000)]
    assert scene.balances() == (1_000, 0, 1_000)


def test_unsuccessful_jobs_are_released_at_once_and_their_usage_is_free(scene: Scene) -> None:
    bill = scene.job()
    send(usage(bill.pk, 10))
    job_ended(bill.pk, successful=False)
    job_ended(bill.pk, successful=True)  # the first word counts
    send(usage(bill.pk, 10, step=1))
    assert kinds(bill) == [(HOLD, 6_000), (RELEASE, 6_000)]
    assert {(r.state, bool(r.note)) for r in bill.usage_records.all()} == {("FREE", True)}
    assert (reread(bill).state, reread(bill).uncharged) == (BillState.RELEASED, 2_000)


def test_a_provider_that_charges_unsuccessful_jobs_gets_its_usage(scene: Scene) -> None:
    bill = scene.job(charge_unsuccessful=True)
    job_ended(bill.pk, successful=False)
    send(usage(bill.pk, 10))
    assert scene.balances() == (1_000, 0, 1_000)


def test_flat_price_minimum_and_free_quantity_count_once_per_job() -> None:
    scene = Scene(
        rates={
            (SERVICE, Unit.JOB): RateSpec(1_000),
            (SERVICE, Unit.PRODUCT_IN): RateSpec(50),
            (SERVICE, Unit.CPU_CORE_HOUR): RateSpec(360_000, free_quantity=10, minimum=500),
        }
    )
    bill = scene.job()
    assert bill.quote.total == 1_000 + 150 + 5_000
    send(usage(bill.pk, 12), usage(bill.pk, 8, step=1), usage(bill.pk, 5, step=2))
    job_ended(bill.pk, successful=True)
    costs = list(bill.usage_records.order_by("ended").values_list("cost", flat=True))
    assert costs == [1_000 + 150 + 500, 500, 500]  # 25 s less 10 free: 1,500
    assert reread(bill).charged == 2_650
    step = bill.usage_records.get(cpu_seconds=8)
    assert [(line["unit"], line["quantity"]) for line in step.lines] == [("CPU_CORE_HOUR", "8")]


def test_prices_are_those_of_the_quote(scene: Scene) -> None:
    bill = scene.job()
    Scene(credits=0, rates={(SERVICE, Unit.CPU_CORE_HOUR): RateSpec(1)})  # published meanwhile
    send(usage(bill.pk, 10))
    job_ended(bill.pk, successful=True)
    assert reread(bill).charged == 1_000


def test_core_hours_count_unknown_processors_as_one() -> None:
    scene = Scene(rates={(SERVICE, Unit.WALL_CORE_HOUR): RateSpec(360_000)})
    bill = scene.job(quantities={Unit.WALL_CORE_HOUR: (1000, "")})
    send(usage(bill.pk, 1, wall=10), usage(bill.pk, 1, wall=10, step=1, Processors=4))
    assert reread(bill).used == 1_000 + 4_000


# --- after the settlement --------------------------------------------------------------------


def test_later_steps_add_up_to_the_quote_and_never_above(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    for step in range(4):
        send(usage(bill.pk, 25, step=step))
    assert kinds(bill) == [(HOLD, 6_000), (CHARGE, 2_500), (CHARGE, 2_500), (CHARGE, 1_000)]
    assert (reread(bill).charged, reread(bill).uncharged) == (6_000, 4_000)


def test_revisions_charge_or_give_back_the_difference(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    charges = []
    for cpu in (20, 50, 30, 5, 5, 100, 0):
        send(usage(bill.pk, cpu), received_at=clock.now())
        charges.append(reread(bill).charged)
        assert scene.balances() == (charges[-1], 0, charges[-1])
    assert charges == [2_000, 5_000, 3_000, 500, 500, 6_000, 0]
    assert findings() == []
    revisions = bill.usage_records.order_by("revision")
    assert [r.cpu_seconds for r in revisions] == [20, 50, 30, 5, 100, 0]
    assert [r.superseded_by_id is None for r in revisions] == [False] * 5 + [True]


def test_late_usage_that_the_account_does_not_cover_stays_on_the_books(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 10))
    admin = scene.group.memberships.get(role="admin").user
    set_cap(actor=admin, group=scene.group, member=scene.member, limit=1_000)
    send(usage(bill.pk, 10, step=1))
    bill = reread(bill)
    assert (bill.charged, bill.uncharged) == (1_000, 1_000)
    assert all(r.state == "CHARGED" and r.note for r in bill.usage_records.all())
    set_cap(actor=admin, group=scene.group, member=scene.member, limit=None)
    send(usage(bill.pk, 5, step=2))
    assert (reread(bill).charged, reread(bill).uncharged) == (2_500, 0)
    assert not any(r.note for r in bill.usage_records.all())


# --- above what was held ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "credit", "cap", "charged"),
    [
        ("CAP_AT_HOLD", 20_000, None, 6_000),
        ("UP_TO_BALANCE", 20_000, None, 9_000),
        ("UP_TO_BALANCE", 8_000, None, 8_000),
        ("UP_TO_BALANCE", 20_000, 7_500, 7_500),
        ("DEBT", 6_000, 7_500, 9_000),
    ],
)
def test_the_accounts_policy_says_how_far_a_job_may_go_above_its_hold(
    policy: str, credit: int, cap: int | None, charged: int
) -> None:
    scene = Scene(credits=0)
    operator = make_user(is_staff=True)
    issue_credit(actor=operator, account=scene.account, amount=credit, reason="test", key="x")
    how = {"actor": operator, "account": scene.account, "reason": "why"}
    set_overrun_policy(policy=policy, **how)
    scene.account.refresh_from_db()
    if cap is not None:
        admin = scene.group.memberships.get(role="admin").user
        set_cap(actor=admin, group=scene.group, member=scene.member, limit=cap)
    bill = scene.job()
    # What counts is the policy when the hold was placed.
    set_overrun_policy(policy="CAP_AT_HOLD", **how)
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 50), usage(bill.pk, 40, step=1))
    bill = reread(bill)
    assert (bill.used, bill.charged, bill.uncharged) == (9_000, charged, 9_000 - charged)
    scene.account.refresh_from_db()
    assert (scene.account.posted, scene.account.held) == (credit - charged, 0)
    costs = bill.usage_records.values_list("cost", flat=True)
    assert sum(cost or 0 for cost in costs) == bill.used
    short = charged < 9_000 and policy != "CAP_AT_HOLD"
    assert all(bool(r.note) == short for r in bill.usage_records.all())
    # A correction goes as far back as it goes on.
    send(usage(bill.pk, 10))
    assert reread(bill).charged == min(5_000, charged)
    assert findings() == []


def test_results_cost_as_many_as_there_were(scene: Scene) -> None:
    scene = Scene(rates={(SERVICE, Unit.PRODUCT_OUT): RateSpec(100)})
    bill = scene.job(quantities={Unit.PRODUCT_OUT: (5, "expected")})
    job_ended(bill.pk, successful=True, products_out=3)
    send(usage(bill.pk, 10))
    assert reread(bill).charged == 300


def test_what_people_gave_back_is_not_charged_again(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 30))
    charge = Transfer.objects.get(kind=CHARGE)
    operator = make_user(is_staff=True)
    propose_refund(actor=operator, charge_id=charge.pk, amount=2_000, reason="goodwill")
    for cpu, kept in ((25, 1_000), (10, 1_000), (5, 500), (20, 500)):
        send(usage(bill.pk, cpu), received_at=clock.now())
        assert scene.balances() == (kept, 0, kept)
    assert findings() == []
