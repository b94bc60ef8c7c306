"""Several people decide at the same moment: one decision counts, and credit moves once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounting.accounts import user_account
from accounting.bills import job_ended
from accounting.check import findings
from accounting.models import (
    Adjustment,
    BillState,
    Dispute,
    DisputeState,
    JobBill,
    TopUp,
    TopUpState,
    Transfer,
    TransferKind,
)
from accounting.requests import adjustments, disputes, holds, topups
from common.errors import Conflict
from people.models import Mail, Role, User
from tests.accounting.scene import Scene, send, usage
from tests.accounting.test_bill_races import at_once
from tests.factories import CREDIT, make_user

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


def refused(results: list[Any]) -> int:
    """How many came too late; nothing else may go wrong."""
    errors = [r for r in results if isinstance(r, Exception)]
    assert all(isinstance(e, Conflict) for e in errors), errors
    return len(errors)


def administrators(scene: Scene) -> list[User]:
    first = scene.group.memberships.get(role=Role.ADMIN).user
    second = make_user()
    scene.group.memberships.create(user=second, role=Role.ADMIN)
    return [first, second]


def test_two_administrators_decide_once() -> None:
    scene = Scene(credits=100)
    first, second = administrators(scene)
    for _round in range(ROUNDS):
        asked = topups.ask(actor=scene.member, account=scene.account, amount=CREDIT, reason="r")
        before = user_account(scene.member).posted
        acts: list[Callable[[], Any]] = [
            partial(topups.grant, actor=first, top_up=asked),
            partial(topups.grant, actor=second, top_up=asked, amount=2 * CREDIT),
            partial(topups.refuse, actor=second, top_up=asked, reason="no"),
            partial(topups.withdraw, actor=scene.member, top_up=asked),
        ]
        assert refused(at_once(acts)) == 3
        row = TopUp.objects.get(pk=asked.pk)
        moved = user_account(scene.member).posted - before
        assert moved == (row.granted or 0)
        assert (row.state == TopUpState.GRANTED) == (moved > 0)
        told = Mail.objects.filter(user=scene.member, key__startswith=f"topup:{row.pk}:")
        assert told.count() == (0 if row.state == TopUpState.WITHDRAWN else 1)
    assert findings() == []


def test_asking_twice_at_once_is_one_request() -> None:
    scene = Scene()
    ask = partial(topups.ask, actor=scene.member, account=scene.account, amount=1, reason="r")
    assert refused(at_once([ask] * 4)) == 3
    same = partial(ask, key="form")
    topups.withdraw(actor=scene.member, top_up=TopUp.objects.get())
    assert refused(at_once([same] * 4)) == 0
    assert TopUp.objects.count() == 2


def charge_of(scene: Scene) -> Transfer:
    bill = scene.job()
    send(usage(bill.pk, 50))
    job_ended(bill.pk, successful=True)
    return Transfer.objects.get(reference=str(bill.pk), kind=TransferKind.CHARGE)


def test_a_charge_is_disputed_once_and_answered_once() -> None:
    scene, operators = Scene(), [make_user(is_staff=True) for _ in range(3)]
    admin = administrators(scene)[0]
    for _round in range(ROUNDS):
        charge = charge_of(scene)
        open_it = [
            partial(disputes.open_dispute, actor=who, charge_id=charge.pk, text="wrong")
            for who in (scene.member, admin, admin)
        ]
        assert refused(at_once(open_it)) == 2
        dispute = Dispute.objects.get(transfer=charge)
        half = {"state": DisputeState.PARTLY, "amount": charge.amount // 2}
        whole = {"state": DisputeState.ACCEPTED}
        answers = [
            partial(disputes.resolve, actor=who, dispute=dispute, answer="so", **how)
            for who, how in zip(operators, (half, whole, half), strict=True)
        ]
        assert refused(at_once(answers)) == 2
        dispute.refresh_from_db()
        assert dispute.refund is not None
        assert charge.refunds.count() == 1
        bill = JobBill.objects.get(pk=charge.reference)
        assert bill.refunded == dispute.refund.amount
    assert findings() == []


def test_refunds_corrections_and_disputes_at_once_give_back_at_most_the_charge() -> None:
    scene, operators = Scene(), [make_user(is_staff=True) for _ in range(3)]
    for _round in range(ROUNDS):
        charge = charge_of(scene)
        dispute = disputes.open_dispute(actor=scene.member, charge_id=charge.pk, text="wrong")
        most = charge.amount
        acts: list[Callable[[], Any]] = [
            *(
                partial(
                    adjustments.propose_refund,
                    actor=who,
                    charge_id=charge.pk,
                    amount=most * 2 // 5,
                    reason="r",
                )
                for who in operators
            ),
            partial(
                disputes.resolve,
                actor=operators[0],
                dispute=dispute,
                state=DisputeState.ACCEPTED,
                answer="so",
            ),
            # A corrected record of less use, which the settlement answers with a refund.
            partial(send, usage(charge.reference, 10)),
        ]
        refused(at_once(acts))
        bill = JobBill.objects.get(pk=charge.reference)
        assert bill.charged - bill.refunded >= 0
        assert sum(charge.refunds.values_list("amount", flat=True)) <= most
        assert findings() == []


def test_two_operators_approve_once(settings: Any) -> None:
    settings.ADJUSTMENT_APPROVAL_LIMIT = "1"
    scene, operators = Scene(), [make_user(is_staff=True) for _ in range(4)]
    for _round in range(ROUNDS):
        row = adjustments.propose(
            actor=operators[0], account=scene.account, amount=3 * CREDIT, reason="r"
        )
        acts: list[Callable[[], Any]] = [
            *(partial(adjustments.approve, actor=who, adjustment=row) for who in operators[1:]),
            partial(adjustments.refuse, actor=operators[0], adjustment=row, reason="mistake"),
        ]
        assert refused(at_once(acts)) == 3
    booked = Adjustment.objects.filter(state="BOOKED").count()
    assert Transfer.objects.filter(kind=TransferKind.ADJUST).count() == booked
    assert findings() == []


def test_what_one_may_book_alone_is_counted_once_at_a_time(settings: Any) -> None:
    settings.ADJUSTMENT_APPROVAL_LIMIT = "5"
    scene, operator = Scene(), make_user(is_staff=True)
    act = partial(
        adjustments.propose, actor=operator, account=scene.account, amount=2 * CREDIT, reason="r"
    )
    assert refused(at_once([act] * 6)) == 0
    states = sorted(Adjustment.objects.values_list("state", flat=True))
    assert states == ["BOOKED", "BOOKED", "PENDING", "PENDING", "PENDING", "PENDING"]


def test_a_release_and_the_usage_that_comes_with_it() -> None:
    scene, operator = Scene(credits=100), make_user(is_staff=True)
    ends: set[str] = set()
    for _round in range(2 * ROUNDS):
        bill = scene.job()
        job_ended(bill.pk, successful=True)
        release = partial(holds.release_hold, actor=operator, job_id=bill.pk, reason="lost")
        refused(at_once([release, partial(send, usage(bill.pk, 50)), release]))
        bill.refresh_from_db()
        assert bill.state in {BillState.CHARGED, BillState.RELEASED}
        ends.add(bill.state)
        resolved = Transfer.objects.filter(pending=bill.hold_id).count()
        assert resolved == 1
        record = bill.usage_records.get()
        assert record.state == ("CHARGED" if bill.state == BillState.CHARGED else "FREE")
        assert ("not charged" in record.note) == (bill.state == BillState.RELEASED)
    assert findings() == []


def test_ids_of_refunds_come_from_what_they_answer() -> None:
    scene, operator = Scene(), make_user(is_staff=True)
    charge = charge_of(scene)
    dispute = disputes.open_dispute(actor=scene.member, charge_id=charge.pk, text="wrong")
    done = disputes.resolve(
        actor=operator, dispute=dispute, state=DisputeState.ACCEPTED, answer="so"
    )
    assert done.refund is not None
    assert done.refund.pk == uuid.uuid5(
        uuid.UUID("5b0cbe4f-6e0b-5ad1-9f0a-6f5d6a3c8e21"), f"dispute:{dispute.pk}"
    )
