"""Whatever happens to a job's bill in whatever order comes to the same: against a model."""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting.bills import expire_bills, job_dispatched, job_ended, release_bill
from accounting.check import findings
from accounting.models import BillState, JobBill, Unit
from accounting.prices.price_lists import RateSpec
from accounting.usage.apel import write
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from tests.accounting.scene import PROVIDER, SERVICE, Scene, reread, too_late, usage

pytestmark = pytest.mark.django_db

RATES = {
    (SERVICE, Unit.JOB): RateSpec(1_000),
    (SERVICE, Unit.PRODUCT_IN): RateSpec(50),
    (SERVICE, Unit.CPU_CORE_HOUR): RateSpec(360_000, free_quantity=10, minimum=500),
    (SERVICE, Unit.WALL_HOUR): RateSpec(7, unit_size=2),
}
QUOTED = 1_000 + 150 + 5_000 + 1


def expected_price(cpu: int, wall: int) -> int:
    return 1_000 + 150 + max(500, 100 * max(0, cpu - 10)) + ceil(7 * wall / 7_200)


ACTS = st.one_of(
    st.tuples(
        st.just("record"),
        st.sampled_from(["portal", "provider"]),
        st.integers(0, 2),  # step
        st.integers(0, 40),  # CPU seconds
        st.integers(0, 1),  # in how many empty records the message ends: other bytes, same content
    ),
    st.tuples(st.just("again"), st.integers(0, 9)),
    st.sampled_from([("dispatch",), ("expire",), ("release",), ("end", True), ("end", False)]),
)


class Model:
    """What a bill must come to, from the acts alone."""

    def __init__(self, *, charge_unsuccessful: bool) -> None:
        self.charge_unsuccessful = charge_unsuccessful
        self.bodies: list[bytes] = []
        self.records: dict[tuple[str, int], tuple[int, int]] = {}
        self.dispatched = self.given_up = False
        self.ended: bool | None = None

    @property
    def matched(self) -> list[tuple[int, int]]:
        return [v for (name, _), v in self.records.items() if name == "portal" or self.dispatched]

    @property
    def used(self) -> int:
        if not self.matched:
            return 0
        return expected_price(*(sum(part) for part in zip(*self.matched, strict=True)))

    @property
    def charges(self) -> bool:
        chargeable = self.ended is True or (self.ended is False and self.charge_unsuccessful)
        return chargeable and not self.given_up

    @property
    def state(self) -> BillState:
        if self.given_up or (self.ended is False and not self.charge_unsuccessful):
            return BillState.RELEASED
        if self.ended is None:
            return BillState.OPEN
        return BillState.CHARGED if self.matched else BillState.AWAITING_USAGE

    def record(self, body: bytes, name: str, step: int, values: tuple[int, int]) -> None:
        if body not in self.bodies:
            self.bodies.append(body)
            self.records[name, step] = values


def perform(act: tuple[Any, ...], bill: JobBill, model: Model) -> None:
    verb, *given_to = act
    if verb == "record":
        name, step, cpu, tail = given_to
        local = str(bill.pk).upper() if name == "portal" else "remote-1"
        body = write([usage(local, cpu, step=step, wall=2 * cpu)]) + b"%%\n" * tail
        import_message(body, source="rest", sender=Sender(PROVIDER))
        model.record(body, name, step, (cpu, 2 * cpu))
    elif verb == "again" and model.bodies:
        body = model.bodies[given_to[0] % len(model.bodies)]
        assert import_message(body, source="dirq", sender=Sender(PROVIDER)).duplicate
    elif verb == "dispatch":
        job_dispatched(bill.pk, "remote-1")
        model.dispatched = True
    elif verb == "end":
        job_ended(bill.pk, successful=given_to[0])
        model.ended = given_to[0] if model.ended is None else model.ended
    elif verb == "expire":
        model.given_up |= model.state == BillState.AWAITING_USAGE
        expire_bills(too_late())
    elif verb == "release" and model.state != BillState.CHARGED:
        release_bill(bill.pk, reason="test", actor="test")
        model.given_up = True


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ACTS, max_size=12), st.booleans())
def test_any_order_of_events_comes_to_the_same(
    transactional_scene: Scene, acts: list[tuple[Any, ...]], charge_unsuccessful: bool
) -> None:
    scene = transactional_scene
    with transaction.atomic():
        bill = scene.job(charge_unsuccessful=charge_unsuccessful)
        model = Model(charge_unsuccessful=charge_unsuccessful)
        for act in acts:
            perform(act, bill, model)
            bill = reread(bill)
            assert bill.state == model.state
            assert bill.used == model.used
            assert bill.charged == (min(model.used, QUOTED) if model.state == "CHARGED" else 0)
            held = QUOTED if model.state in ("OPEN", "AWAITING_USAGE") else 0
            assert scene.balances() == (bill.charged, held, bill.charged)
            current = bill.usage_records.filter(superseded_by=None)
            assert sum(r.cost or 0 for r in current) == bill.used
        assert findings() == []
        transaction.set_rollback(True)


@pytest.fixture
def transactional_scene() -> Scene:
    return Scene(rates=RATES)
