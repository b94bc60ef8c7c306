"""Usage that no job of the portal caused: who pays, counters, summaries, what was not agreed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from django.db.models import F

from accounting.accounts import set_overrun_policy, set_status, user_account
from accounting.bills import job_dispatched, job_ended
from accounting.check import findings
from accounting.models import (
    Account,
    OverrunPolicy,
    Transfer,
    Unit,
    UsageBill,
    UsageMonth,
    UsageName,
    UsageRecord,
)
from accounting.prices.price_lists import RateSpec
from accounting.usage.importer import ImportReport, import_message
from accounting.usage.records import Sender
from tests.accounting.scene import PROVIDER, SERVICE, Scene, send, usage
from tests.factories import CREDIT, give_credit, make_user

pytestmark = pytest.mark.django_db

AGREED = Sender(PROVIDER, without_jobs=True)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
JANUARY, FEBRUARY = 1768000000, 1770500000
# 100 micro-credits per CPU second, of the service and of any other usage.
RATES = {
    (SERVICE, Unit.CPU_CORE_HOUR): RateSpec(price=360_000),
    (0, Unit.CPU_CORE_HOUR): RateSpec(price=360_000),
    (0, Unit.STORAGE_GB_DAY): RateSpec(price=1_000_000),
}


@pytest.fixture
def scene() -> Scene:
    with mock.patch("common.clock.timezone.now", return_value=LONG_AGO):
        scene = Scene(rates=RATES)
    known_as(scene.account, "group", "tep.urban")
    return scene


@pytest.fixture(autouse=True)
def sound_books() -> Iterator[None]:
    yield
    assert findings() == []


def known_as(account: Account, kind: str, name: str) -> None:
    UsageName.objects.create(
        provider_id=PROVIDER,
        kind=kind,
        name=name,
        account=account,
        created_by="test",
        created_at=LONG_AGO,
    )


def text(header: str, *records: dict[str, Any], sender: Sender = AGREED) -> ImportReport:
    parts = ["".join(f"{k}: {v}\n" for k, v in record.items()) for record in records]
    body = f"{header}\n" + "%%\n".join(parts)
    return import_message(body.encode(), source="rest", sender=sender)


def machine(cpu: int, at: int, **fields: Any) -> dict[str, Any]:
    return {
        "VMUUID": "vm-1",
        "SiteName": "SITE",
        "FQAN": "tep.urban",
        "Status": "started",
        "StartTime": JANUARY - 100,
        "RecordCreateTime": at,
        "WallDuration": cpu,
        "CpuDuration": cpu,
        **fields,
    }


def cloud(*records: dict[str, Any], sender: Sender = AGREED) -> ImportReport:
    return text("APEL-cloud-message: v0.4", *records, sender=sender)


def summary(cpu: int, **fields: Any) -> ImportReport:
    record = {
        "Site": "SITE",
        "Month": 1,
        "Year": 2026,
        "VO": "tep.urban",
        "WallDuration": cpu,
        "CpuDuration": cpu,
        "NumberOfJobs": 3,
        **fields,
    }
    header = "APEL-summary-job-message: v0.2"
    if "NormalisedCpuDuration" in fields:
        header = "APEL-summary-job-message: v0.3"
    return text(header, record)


def spent(scene: Scene) -> int:
    return scene.balances()[0]


def state() -> str:
    return UsageRecord.objects.get(superseded_by=None).state


# --- who pays, and whether -------------------------------------------------------------------


def test_the_group_that_an_operator_named_pays_on_behalf_of_the_user(scene: Scene) -> None:
    member = user_account(scene.member)
    known_as(member, "user", "ada")
    cloud(machine(10, JANUARY, LocalUserId="ada"))
    cloud(machine(5, JANUARY, VMUUID="vm-2", LocalUserId="ada", FQAN="elsewhere"))
    assert spent(scene) == 1_000
    charge = Transfer.objects.get(debit=scene.account, kind="CHARGE")
    assert charge.member_id == scene.member.pk
    bill = UsageBill.objects.get(account=member)  # who has too little; the rest is on the books
    assert (bill.used, bill.charged, bill.uncharged) == (500, 0, 500)
    assert UsageRecord.objects.get(usage_bill=bill).note != ""


def test_nobody_known_pays_nothing_and_another_providers_names_mean_nothing(scene: Scene) -> None:
    cloud(machine(10, JANUARY, FQAN="who"))
    assert state() == "UNMATCHED"
    cloud(machine(10, JANUARY), sender=Sender(PROVIDER + 1, without_jobs=True))
    assert set(UsageRecord.objects.values_list("state", flat=True)) == {"UNMATCHED"}
    assert spent(scene) == 0


def test_what_was_not_agreed_is_held_back(scene: Scene) -> None:
    cloud(machine(10, JANUARY), sender=Sender(PROVIDER))
    assert (state(), spent(scene)) == ("HELD_BACK", 0)
    assert UsageRecord.objects.get().note != ""
    # A job that is not known may turn up.
    send(usage("unknown", 10, VO="tep.urban"))
    assert UsageRecord.objects.get(type="job").state == "UNMATCHED"


def test_a_count_and_a_test_are_free(scene: Scene) -> None:
    text("APEL-sync-message: v0.1", {"Site": "SITE", "NumberOfJobs": 3, "Month": 1, "Year": 2026})
    assert (state(), spent(scene)) == ("FREE", 0)


@pytest.mark.parametrize(
    ("policy", "charged"),
    [
        (OverrunPolicy.CAP_AT_HOLD, 10 * CREDIT),
        (OverrunPolicy.UP_TO_BALANCE, 10 * CREDIT),
        (OverrunPolicy.DEBT, 12 * CREDIT),
    ],
)
def test_the_accounts_policy_says_how_far_a_charge_goes(
    scene: Scene, policy: str, charged: int
) -> None:
    operator = make_user(is_staff=True)
    set_overrun_policy(actor=operator, account=scene.account, policy=policy, reason="why")
    cloud(machine(120_000, JANUARY))
    assert spent(scene) == charged
    bill = UsageBill.objects.get()
    assert (bill.used, bill.charged, bill.uncharged) == (
        12 * CREDIT,
        charged,
        12 * CREDIT - charged,
    )


# --- counters --------------------------------------------------------------------------------


def test_a_month_costs_the_difference_to_the_month_before_in_any_order(scene: Scene) -> None:
    months = machine(100, JANUARY), machine(250, FEBRUARY)
    cloud(*months)
    assert spent(scene) == 25_000
    costs = UsageRecord.objects.order_by("month").values_list("cost", flat=True)
    assert list(costs) == [10_000, 15_000]


def test_a_month_that_comes_later_or_is_revised_changes_the_one_after(scene: Scene) -> None:
    cloud(machine(250, FEBRUARY))
    assert spent(scene) == 25_000
    cloud(machine(100, JANUARY))
    assert spent(scene) == 25_000
    cloud(machine(150, JANUARY + 60))
    assert spent(scene) == 25_000
    current = UsageRecord.objects.filter(superseded_by=None).order_by("month")
    assert list(current.values_list("cost", flat=True)) == [15_000, 10_000]
    assert cloud(machine(150, JANUARY + 60)).duplicate


def test_a_counter_that_goes_back_counts_nothing_and_says_so(scene: Scene) -> None:
    cloud(machine(250, JANUARY), machine(100, FEBRUARY))
    assert spent(scene) == 25_000
    assert UsageRecord.objects.get(cpu_seconds=100).note != ""


def test_a_revision_down_gives_back_and_up_charges_the_difference(scene: Scene) -> None:
    for cpu, at in ((100, JANUARY), (40, JANUARY + 1), (70, JANUARY + 2)):
        cloud(machine(cpu, at))
        assert spent(scene) == cpu * 100
    kinds = Transfer.objects.filter(reference__startswith="usage:").order_by("created_at")
    assert list(kinds.values_list("kind", "amount")) == [
        ("CHARGE", 10_000),
        ("REFUND", 6_000),
        ("CHARGE", 3_000),
    ]


def test_who_may_no_longer_charge_gives_back_and_gets_nothing_more(scene: Scene) -> None:
    cloud(machine(40, JANUARY))
    no_more = Sender(PROVIDER)
    cloud(machine(90_000, JANUARY + 1), sender=no_more)
    assert spent(scene) == 4_000
    cloud(machine(10, JANUARY + 2), sender=no_more)
    assert spent(scene) == 1_000
    cloud(machine(20, JANUARY + 3))
    assert spent(scene) == 2_000


# --- summaries -------------------------------------------------------------------------------


def test_a_summary_is_charged_until_its_job_records_come(scene: Scene) -> None:
    summary(50)
    assert spent(scene) == 5_000
    bill = scene.job()
    send(usage(bill.pk, 10))
    assert spent(scene) == 0
    record = UsageRecord.objects.get(type="summary")
    assert (record.state, record.cost, record.note != "") == ("FREE", 0, True)
    summary(60)
    assert spent(scene) == 0
    job_ended(bill.pk, successful=True)
    assert spent(scene) == 1_000


def test_jobs_of_another_month_or_site_leave_a_summary_alone(scene: Scene) -> None:
    send(usage("a", 10, Site="OTHER"), usage("b", 10, EndTime=FEBRUARY))
    summary(50)
    assert spent(scene) == 5_000


def test_of_two_kinds_of_summary_one_is_charged(scene: Scene) -> None:
    normalised = {"NormalisedWallDuration": 500, "NormalisedCpuDuration": 500}
    summary(50, **normalised)
    first = spent(scene)
    assert first > 0
    summary(50)
    assert spent(scene) == 5_000


def test_job_records_are_counted_once_by_site_host_and_month(scene: Scene) -> None:
    records = usage("a", 1, SubmitHost="h"), usage("a", 1, step=1, SubmitHost="h")
    send(*records)
    send(*records, usage("a", 2, SubmitHost="h"))
    send(usage("c", 1, EndTime=FEBRUARY))
    rows = UsageMonth.objects.order_by("month").values_list("submit_host", "month__month", "jobs")
    assert list(rows) == [("h", 1, 2), ("", 2, 1)]


# --- jobs that were not the portal's, or not yet known ---------------------------------------


def test_what_was_charged_without_its_job_is_given_back_when_the_job_is_known(
    scene: Scene,
) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    record = usage("remote-7", 20, VO="tep.urban")
    send(record, sender=AGREED)
    assert scene.balances() == (2_000, 6_000, 2_000)
    job_dispatched(bill.pk, "remote-7")
    assert scene.balances() == (2_000, 0, 2_000)
    assert UsageBill.objects.get().charged == 0
    assert UsageRecord.objects.get().bill == bill


def test_a_revision_whose_job_is_known_by_now_belongs_to_it(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk.hex, 20, VO="tep.urban"), sender=AGREED)
    assert spent(scene) == 2_000
    assert not UsageBill.objects.exists()


# --- TEP records -----------------------------------------------------------------------------


def tep(number: int, value: int, **account: Any) -> bytes:
    record = {
        "id": f"record-{number}",
        "account": {"platform": "tep", "username": "somebody", **account},
        "quantity": [{"id": "CPU_MILLISECONDS", "value": value}],
        "timestamp": "2026-01-10T00:00:00Z",
        "status": "NOMINAL",
    }
    return json.dumps(record).encode()


def test_a_tep_record_is_never_revised(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)

    def push(body: bytes, sender: Sender = AGREED) -> ImportReport:
        return import_message(body, source="rest", sender=sender)

    ran = {"ref": str(bill.pk), "username": scene.member.username}
    assert push(tep(1, 10_000, **ran)).matched == 1
    assert push(tep(1, 10_000, **ran)).duplicate
    assert push(tep(1, 10_000, **ran) + b"\n").unchanged == 1
    refused = push(tep(1, 20_000, **ran))
    assert (refused.state, [e["field"] for e in refused.errors]) == ("REJECTED", ["id"])
    kept = push(tep(1, 20_000, **ran), Sender(PROVIDER, keep_good=True))
    assert (kept.state, kept.quarantined, kept.records) == ("PARTLY", 1, 0)
    assert spent(scene) == 1_000
    foreign = push(tep(1, 10_000, **ran), Sender(PROVIDER + 1))
    assert [w["field"] for w in foreign.warnings] == ["job"]
    assert UsageRecord.objects.get(provider_id=PROVIDER + 1).state == "HELD_BACK"


def test_a_member_without_credit_owes_nothing_when_frozen(scene: Scene) -> None:
    account = user_account(make_user())
    give_credit(account, 1)
    known_as(account, "user", "eve")
    operator = make_user(is_staff=True)
    set_status(actor=operator, account=account, status="FROZEN", reason="why")
    cloud(machine(10, JANUARY, LocalUserId="eve", FQAN=""))
    bill = UsageBill.objects.get()
    assert (bill.charged, bill.uncharged) == (0, 1_000)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ({"charged": F("charged") - 1}, "charged and kept, the ledger says"),
        ({"used": F("used") + 1}, "used, its usage record"),
    ],
)
def test_a_bill_that_somebody_changed_is_found(
    scene: Scene, damage: dict[str, Any], finding: str
) -> None:
    cloud(machine(10, JANUARY))
    (before,) = UsageBill.objects.values("charged", "used")
    UsageBill.objects.update(**damage)
    assert any(finding in text for text in findings())
    UsageBill.objects.update(**before)
