"""check_ledger finds what somebody changed past the triggers, and nothing in books in order."""

from __future__ import annotations

import uuid
from importlib import import_module
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from accounting import check
from accounting.accounts import provider_account
from accounting.bills import job_ended
from accounting.check import findings
from accounting.credit.transfers import issue_credit, set_cap
from accounting.ledger import post
from accounting.models import Account, JobBill, Phase, Transfer, TransferKind
from tests.accounting.scene import Scene, send, usage
from tests.factories import make_user
from tests.flush import triggers_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    """A job that runs, one whose usage is awaited, one charged and refunded; a member's limit."""
    scene = Scene()
    admin = scene.group.memberships.get(role="admin").user
    scene.job()
    job_ended(scene.job().pk, successful=True)
    charged = scene.job()
    job_ended(charged.pk, successful=True)
    send(usage(charged.pk, 50))
    send(usage(charged.pk, 40))
    set_cap(actor=admin, group=scene.group, member=scene.member, limit=10**6)
    connection.check_constraints()  # what is pending till the commit would forbid ALTER TABLE
    return scene


def test_books_in_order_are_told_so(scene: Scene) -> None:
    assert findings() == []
    said = StringIO()
    call_command("check_ledger", stdout=said)
    assert f"{Transfer.objects.count()} transfers" in said.getvalue()


DAMAGE = (
    ("UPDATE acc_account SET posted = posted + 1 WHERE kind = 'GROUP'", "add up to 0.000001"),
    ("UPDATE acc_account SET posted = posted + 1 WHERE kind = 'GROUP'", "entries add up to"),
    ("UPDATE acc_account SET version = version + 1 WHERE kind = 'GROUP'", "entries add up to"),
    ("UPDATE acc_account SET held = held + 1 WHERE kind = 'GROUP'", "its open holds add up to"),
    ("DELETE FROM acc_entry WHERE amount < 0", "does not have its two entries"),
    ("UPDATE acc_entry SET amount = amount + 1 WHERE amount > 0", "does not have its two entries"),
    ("UPDATE acc_entry SET account_id = 9999 WHERE amount = 5000", "two entries"),
    ("UPDATE acc_entry SET balance_after = balance_after + 1", "running balance"),
    ("UPDATE acc_entry SET version = version + 7", "running balance"),
    ("UPDATE acc_transfer SET phase = 'pending' WHERE kind = 'REFUND'", "belongs to no transfer"),
    ("UPDATE acc_transfer SET amount = 5999 WHERE phase = 'pending'", "its open holds add up to"),
    ("UPDATE acc_transfer SET amount = 9999 WHERE kind = 'REFUND'", "is refunded with 0.009999"),
    ("UPDATE acc_transfer SET credit_id = 9999 WHERE phase = 'post'", "does not match the hold"),
    (
        "UPDATE acc_transfer SET phase = 'single', pending_id = NULL WHERE phase = 'post'",
        "its open holds add up to",
    ),
    ("UPDATE acc_cap SET used = used + 1", "used 0.004001 and held"),
    ("UPDATE acc_cap SET held = held + 1", "the transfers add up to"),
    ("UPDATE acc_job_bill SET state = 'RELEASED' WHERE state = 'OPEN'", "is still open"),
    (
        "UPDATE acc_job_bill SET state = 'OPEN', charge_id = NULL, charged = 0 WHERE charged > 0",
        "is resolved or was never",
    ),
    ("UPDATE acc_job_bill SET state = 'OPEN' WHERE state = 'AWAITING_USAGE'", "neither settled"),
    ("UPDATE acc_job_bill SET charged = 3999 WHERE charged > 0", "0.003999 charged and kept"),
    ("UPDATE acc_job_bill SET charged = 7000 WHERE charged > 0", "more than the 0.006 held"),
    ("UPDATE acc_job_bill SET used = used + 1 WHERE used > 0", "used, its usage records"),
    ("UPDATE acc_quote SET total = total + 1", "less than was quoted"),
    ("UPDATE acc_job_bill SET limit_amount = limit_amount + 1", "not what the bill says"),
    ("UPDATE acc_job_bill SET used = used - 1 WHERE charged > 0", "of 0.003999 used"),
    ("UPDATE acc_usage_record SET cost = cost + 1 WHERE state = 'CHARGED'", "its usage records"),
    ("UPDATE acc_usage_record SET lines = '[]' WHERE state = 'CHARGED'", "add up to another sum"),
    ("UPDATE acc_usage_record SET state = 'CHARGED', bill_id = {open}", "marked as charged"),
)


@pytest.mark.parametrize(("damage", "finding"), DAMAGE)
def test_what_an_owner_of_the_database_changes_is_found(
    scene: Scene, damage: str, finding: str
) -> None:
    still_open = JobBill.objects.get(state="OPEN").pk
    with triggers_off() as cursor:
        cursor.execute(damage.replace("{open}", f"'{still_open.hex}'"))
    found = findings()
    assert any(finding in text for text in found), found
    with pytest.raises(CommandError) as failure:
        call_command("check_ledger", stdout=StringIO())
    assert failure.value.returncode == 1


def test_a_lost_hold_and_a_lost_trigger_are_found(scene: Scene) -> None:
    post(
        id=uuid.uuid4(),
        phase=Phase.PENDING,
        kind=TransferKind.HOLD,
        debit=scene.account,
        credit=scene.provider_account,
        amount=1,
        reference=str(JobBill.objects.get(state="OPEN").pk),
    )
    found = findings()
    assert [text.split(" ")[0] for text in found] == ["Job", "Hold"], found
    assert "has 2 open holds" in found[0]
    connection.check_constraints()
    on_table = " ON acc_account" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER acc_account_guard{on_table}")
    assert "acc_account_guard, which guards the books, is missing or off." in findings()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="only SQLite has the gate")
def test_an_open_gate_is_found_and_stops_the_ledger(scene: Scene) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO acc_gate (id) VALUES (1)")
    assert "acc_gate is not empty" in " ".join(findings())
    with pytest.raises(Exception, match="acc_gate"):
        issue_credit(
            actor=make_user(is_staff=True), account=scene.account, amount=1, reason="x", key="x"
        )


def test_a_flood_of_findings_is_cut_short(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_PER_QUESTION", 2)
    with triggers_off() as cursor:
        cursor.execute("UPDATE acc_entry SET balance_after = balance_after + 1")
    found = [text for text in findings() if "running balance" in text or "of this kind" in text]
    assert len(found) == 3
    assert found[-1] == "… and more of this kind."


@pytest.mark.django_db(transaction=True)
def test_the_migration_of_the_triggers_goes_back_and_forth() -> None:
    migration = import_module("accounting.migrations._triggers")
    account = provider_account(1)
    with connection.schema_editor() as editor:
        migration.remove(None, editor)
    rows = Account.objects.filter(pk=account.pk)
    rows.update(version=5)  # nothing guards it now
    rows.update(version=0)
    with connection.schema_editor() as editor:
        migration.install(None, editor)
    assert findings() == []
    with pytest.raises(IntegrityError):
        rows.update(version=5)
