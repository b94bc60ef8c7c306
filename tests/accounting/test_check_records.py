"""check_ledger finds what somebody changed by hand around the ledger: rules, lots, bills."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import pytest
from django.db import IntegrityError, connection, transaction

from accounting.accounts import set_credit_limit, set_overrun_policy, set_status
from accounting.bills import job_ended
from accounting.check import findings
from accounting.credit.transfers import set_cap
from accounting.ledger import broken_rule
from accounting.models import Dispute, Transfer, TransferKind, UsageBill, UsageRecord
from accounting.requests import adjustments, disputes, topups
from accounting.usage.rating import NO_PRICES
from accounting.usage.records import Sender
from tests.accounting.purse import BEGIN, DAY, Calendar, Purse
from tests.accounting.scene import PROVIDER, Scene, send, usage
from tests.accounting.test_usage_jobless import RATES, known_as
from tests.factories import CREDIT, make_user
from tests.flush import triggers_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def purse(monkeypatch: pytest.MonkeyPatch) -> Purse:
    """Credit that expires: spent in part, refunded in part, passed on in part."""
    calendar = Calendar(monkeypatch)
    purse = Purse(calendar)
    purse.issue(10, days=10)
    purse.issue(10, days=20)
    calendar.days(1)
    purse.refund(purse.spend(12), 3)
    purse.pass_on(4)
    calendar.days(30)
    purse.sweep()
    purse.issue(10, days=5)
    purse.pass_on(5)
    purse.left(purse.own)
    assert findings() == []
    connection.check_constraints()
    return purse


@pytest.fixture
def scene() -> Iterator[Scene]:
    """A job's charge that was disputed; usage without a job; an adjustment; rules that changed."""
    with mock.patch("common.clock.timezone.now", return_value=BEGIN - 100 * DAY):
        scene = Scene(rates=RATES)
    operator, admin = make_user(is_staff=True), scene.group.memberships.get(role="admin").user
    charged = scene.job()
    job_ended(charged.pk, successful=True)
    send(usage(charged.pk, 50))
    known_as(scene.account, "group", "tep.urban")
    usage_without_job()
    charge = Transfer.objects.get(reference=str(charged.pk), kind=TransferKind.CHARGE)
    opened = disputes.open_dispute(actor=scene.member, charge_id=charge.pk, text="wrong")
    disputes.resolve(actor=operator, dispute=opened, answer="so", state="ACCEPTED")
    adjustments.propose(actor=operator, account=scene.account, amount=5, reason="why")
    topups.ask(actor=scene.member, account=scene.account, amount=1, reason="r")
    set_cap(actor=admin, group=scene.group, member=scene.member, limit=CREDIT, period="MONTH")
    set_credit_limit(actor=operator, account=scene.account, limit=CREDIT, reason="why")
    set_overrun_policy(actor=admin, account=scene.account, policy="UP_TO_BALANCE", reason="why")
    set_status(actor=admin, account=scene.account, status="FROZEN", reason="why")
    assert findings() == []
    connection.check_constraints()
    return scene


def usage_without_job() -> None:
    record = usage("unknown", 10, VO="tep.urban")
    report = send(record, sender=Sender(PROVIDER, without_jobs=True))
    assert report.state == "LOADED"


def found() -> str:
    return "\n".join(findings())


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE acc_lot SET remaining = 1 WHERE remaining > 1", "0.000001 remain of"),
        ("DELETE FROM acc_lot_use", "does not follow from its entries"),
        (
            "UPDATE acc_lot SET expires_at = '2031-01-01' WHERE id = (SELECT min(id) FROM acc_lot)",
            "not those that its entries",
        ),
        ("DELETE FROM acc_lot_cursor", "nothing says how far"),
    ],
)
def test_lots_that_do_not_follow_from_the_entries(purse: Purse, damage: str, finding: str) -> None:
    with triggers_off() as cursor:
        cursor.execute(damage)
    assert finding in found()


def test_lots_and_uses_that_agree_with_each_other_only(purse: Purse) -> None:
    with triggers_off() as cursor:
        cursor.execute("DELETE FROM acc_lot_use")
        cursor.execute("UPDATE acc_lot SET remaining = amount")
    assert "what its lots lost does not follow" in found()


def test_a_transfer_that_no_bill_knows(scene: Scene) -> None:
    bill = UsageBill.objects.get()
    with triggers_off() as cursor:
        cursor.execute("UPDATE acc_usage_record SET usage_bill_id = NULL, state = 'FREE'")
        cursor.execute("DELETE FROM acc_usage_bill")
    assert f"is booked for usage:{bill.pk}, and no bill knows it" in found()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL checks foreign keys")
def test_a_record_that_points_to_no_bill(scene: Scene) -> None:
    with transaction.atomic():
        with triggers_off() as cursor:
            cursor.execute("UPDATE acc_usage_record SET usage_bill_id = 77 WHERE bill_id IS NULL")
        assert "points to a bill that is not there" in found()
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE acc_cap SET limit_ = 2000000", "is 2.00 (MONTH), the newest change on"),
        ("DELETE FROM acc_cap", "is missing, the newest change on record made it 1.00"),
        ("UPDATE acc_account SET floor = -5000000 WHERE kind = 'GROUP'", "limit is 5.00, the"),
        ("UPDATE acc_account SET status = 'OPEN' WHERE kind = 'GROUP'", "status is OPEN, the"),
        (
            "UPDATE acc_account SET overrun_policy = 'DEBT' WHERE kind = 'GROUP'",
            "overrun_policy is DEBT, the newest change on record made it UP_TO_BALANCE",
        ),
        (
            "UPDATE acc_account SET floor = -5 WHERE kind = 'PROVIDER'",
            "the credit limit is 0.000005 without a change on record",
        ),
        (
            "UPDATE acc_account SET status = 'FROZEN' WHERE kind = 'PROVIDER'",
            "the status is FROZEN without a change on record",
        ),
        (
            "INSERT INTO acc_cap (account_id, member_id, period, period_start, limit_, used, held,"
            " overrun) SELECT id, 77, '', date('1970-01-01'), 5, 0, 0, 0 FROM acc_account"
            " WHERE kind = 'GROUP'",
            "is 0.000005 without a change on record",
        ),
    ],
)
def test_a_rule_that_nobody_is_on_record_for(scene: Scene, damage: str, finding: str) -> None:
    with connection.cursor() as cursor:  # the database accepts it
        cursor.execute(damage)
    assert finding in found()


@pytest.mark.parametrize("table", ["acc_dispute", "acc_adjustment"])
def test_a_transfer_by_hand_that_nothing_explains(scene: Scene, table: str) -> None:
    with triggers_off() as cursor:
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608 (a constant)
    assert "neither an adjustment nor a dispute explains it" in found()


def test_what_explains_transfers_is_not_deleted(scene: Scene) -> None:
    tables = ("acc_dispute", "acc_top_up", "acc_adjustment", "acc_usage_bill")
    refuse_to_delete(*tables)
    assert Dispute.objects.exists()


def test_lots_are_not_deleted(purse: Purse) -> None:
    refuse_to_delete("acc_lot", "acc_lot_use", "acc_lot_cursor", "acc_grant")


def refuse_to_delete(*tables: str) -> None:
    for table in tables:
        with (
            pytest.raises(IntegrityError) as refused,
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 (a constant)
        assert broken_rule(refused.value) == "acc_append_only"


def test_usage_before_any_price_list_says_so() -> None:
    scene = Scene()  # its prices hold from now on, the usage is older
    known_as(scene.account, "group", "tep.urban")
    record = usage("unknown", 10, VO="tep.urban")
    report = send(record, sender=Sender(PROVIDER, without_jobs=True))
    assert UsageRecord.objects.get().note == NO_PRICES
    assert [(w["field"], w["reason"]) for w in report.warnings] == [("prices", NO_PRICES)]


def test_usage_of_a_job_without_prices_says_so() -> None:
    scene = Scene()
    job = scene.job(provider_id=PROVIDER + 1)
    report = send(usage(job.pk, 10), provider_id=PROVIDER + 1)
    job_ended(job.pk, successful=True)
    record = UsageRecord.objects.get()
    assert (record.cost, record.note) == (0, NO_PRICES)
    assert [w["field"] for w in report.warnings] == ["prices"]
    assert findings() == []
