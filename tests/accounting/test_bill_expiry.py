"""Holds whose usage never comes, and bills that are released by hand."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from accounting import bills
from accounting.bills import expire_bills, job_dispatched, job_ended, release_bill
from accounting.models import JobBill, TransferKind
from common import clock
from common.errors import Conflict, NotFound
from tests.accounting.scene import Scene, kinds, reread, send, too_late, usage

pytestmark = pytest.mark.django_db
HOLD, RELEASE = TransferKind.HOLD, TransferKind.RELEASE


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_holds_whose_usage_never_comes_are_released_in_the_end(scene: Scene) -> None:
    waiting, running, settled = scene.job(), scene.job(), scene.job()
    for bill in (waiting, settled):
        job_ended(bill.pk, successful=True)
    send(usage(settled.pk, 1))
    assert expire_bills(clock.now()) == 0
    assert expire_bills(too_late()) == 1
    assert expire_bills(too_late()) == 0
    assert [reread(b).state for b in (waiting, running, settled)] == ["RELEASED", "OPEN", "CHARGED"]
    send(usage(waiting.pk, 1))
    (record,) = waiting.usage_records.all()
    assert (record.state, record.note != "") == ("FREE", True)
    assert scene.balances() == (100, 6_000, 100)


def test_one_bill_that_cannot_be_released_does_not_stop_the_sweep(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = sorted((scene.job(), scene.job()), key=lambda b: b.pk)
    for bill in (bad, good):
        job_ended(bill.pk, successful=True)
    release = bills.release

    def refuse_bad(bill: JobBill, **given: Any) -> None:
        if bill.pk == bad.pk:
            raise Conflict
        release(bill, **given)

    with monkeypatch.context() as broken:
        broken.setattr(bills, "release", refuse_bad)
        assert expire_bills(too_late()) == 1
    assert [reread(b).state for b in (bad, good)] == ["AWAITING_USAGE", "RELEASED"]
    assert expire_bills(too_late()) == 1


def test_release_by_hand(scene: Scene) -> None:
    bill, charged = scene.job(), scene.job()
    release_bill(bill.pk, reason="lost", actor="user:1")
    release_bill(bill.pk, reason="again", actor="user:1")
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 10), usage(charged.pk, 10))
    job_ended(charged.pk, successful=True)
    with pytest.raises(Conflict):
        release_bill(charged.pk, reason="no", actor="user:1")
    assert kinds(bill) == [(HOLD, 6_000), (RELEASE, 6_000)]
    assert scene.balances() == (1_000, 0, 1_000)


def test_jobs_without_a_bill_are_not_found(scene: Scene) -> None:
    for act in (
        lambda: job_ended(uuid.uuid4(), successful=True),
        lambda: job_dispatched(uuid.uuid4(), "x"),
        lambda: release_bill(uuid.uuid4(), reason="", actor=""),
    ):
        with pytest.raises(NotFound):
            act()
