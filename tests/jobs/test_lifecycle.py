"""A job from submit to settlement, whatever its provider says in whatever order."""

from __future__ import annotations

import uuid
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounting.check import findings
from accounting.models import BillState, JobBill, Transfer
from common.errors import (
    Conflict,
    InsufficientCredit,
    InvalidInput,
    NotFound,
    QuoteExpired,
    TransitionRefused,
)
from jobs.lifecycle import dismiss, quote_job, submit
from jobs.models import Due, Job
from jobs.states import FINAL, SUCCESSFUL, State
from jobs.transitions import apply, lock, move
from providers.ports import RemoteState, RemoteStatus
from providers.process import LiteralValue, OutputValue
from tests.factories import CREDIT, World, make_app, make_service

pytestmark = pytest.mark.django_db


def run(world: World, **more: object) -> Job:
    arguments: dict[str, object] = {
        "actor": world.researcher,
        "service": world.service,
        "inputs": world.message(),
        "account": world.account,
        "door": "web",
    }
    return submit(**{**arguments, **more})  # type: ignore[arg-type]


def available(world: World) -> int:
    world.account.refresh_from_db()
    return world.account.available


def test_submit_holds_the_price_and_schedules_the_sending() -> None:
    world = World(credits=10)
    job = run(world)
    assert job.state == State.SUBMITTED
    assert available(world) == 8 * CREDIT
    assert Due.objects.filter(kind="send", subject=str(job.pk), done_at=None).count() == 1
    assert [e.new_state for e in job.events.all()] == [State.VALIDATED, State.SUBMITTED]
    assert findings() == []


def test_without_credit_there_is_no_job_no_hold_and_nothing_to_send() -> None:
    world = World(credits=1)
    with pytest.raises(InsufficientCredit) as caught:
        run(world)
    assert str(caught.value.data["shortfall"]) in ("1", "1.000000", "1.00")
    assert not Job.objects.exists()
    assert not Due.objects.exists()
    assert not JobBill.objects.exists()
    assert available(world) == 1 * CREDIT


def test_the_same_key_gives_the_same_job_and_another_request_with_it_a_conflict() -> None:
    world = World()
    first = run(world, idempotency_key="k")
    assert run(world, idempotency_key="k") == first
    assert Transfer.objects.filter(kind="HOLD").count() == 1
    with pytest.raises(Conflict):
        run(world, idempotency_key="k", inputs=world.message("other"))


def test_a_quote_holds_for_its_inputs_once() -> None:
    world = World()
    quote = quote_job(
        actor=world.researcher,
        service=world.service,
        inputs=world.message(),
        account=world.account,
    )
    assert quote.total == 2 * CREDIT
    world.set_price(5 * CREDIT)
    with pytest.raises(QuoteExpired):
        run(world, quote_id=quote.pk, inputs=world.message("other"))
    job = run(world, quote_id=quote.pk)
    assert available(world) == 8 * CREDIT  # the promised price, not the new one
    with pytest.raises(QuoteExpired):
        run(world, quote_id=quote.pk)
    assert job.quote == quote


def test_who_may_not_use_the_service_or_the_account_finds_neither() -> None:
    world = World()
    with pytest.raises(NotFound):
        run(world, actor=world.stranger)
    hidden = make_service(world.provider, world.description.__class__("hidden"))
    with pytest.raises(NotFound):
        run(world, service=hidden, inputs=())
    make_app(world.operator, (world.service,))  # public: now the stranger may use the service
    with pytest.raises(NotFound):
        run(world, actor=world.stranger)
    assert not Transfer.objects.filter(kind="HOLD").exists()


def test_wrong_inputs_cost_nothing() -> None:
    world = World()
    with pytest.raises(InvalidInput):
        run(world, inputs=(LiteralValue("mesage", "typo"),))
    assert available(world) == 10 * CREDIT


def test_dismissed_before_it_was_sent_it_is_never_sent() -> None:
    world = World()
    job = dismiss(actor=world.researcher, job=run(world))
    assert job.state == State.CANCELLED
    assert available(world) == 10 * CREDIT
    assert dismiss(actor=world.researcher, job=job).state == State.CANCELLED
    assert findings() == []


def test_a_transition_that_is_not_in_the_table_is_refused() -> None:
    world = World()
    job = lock(run(world).pk)
    with pytest.raises(TransitionRefused):
        move(job, State.COMPLETED, actor="test")


statuses = st.builds(
    RemoteStatus,
    state=st.sampled_from(list(RemoteState)),
    scheme=st.just("test"),
    word=st.text(max_size=50),
    handle=st.sampled_from(["", "https://wps.example.org/status/1"]),
    remote_id=st.just("r1"),
    percent=st.none() | st.integers(-5, 200),
    message=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
    outputs=st.just((OutputValue(LiteralValue("message", "hello")),)),
    error=st.just("it broke"),
)
HAPPENINGS = st.lists(statuses | st.sampled_from(["dismiss", "sending"]), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(HAPPENINGS)
@example(["sending", RemoteStatus(RemoteState.RUNNING, "test", "\x00", percent=1)])
def test_whatever_happens_the_rules_hold(happenings: list[RemoteStatus | str]) -> None:
    world = World()
    job = run(world, title=uuid.uuid4().hex)
    final: str | None = None
    percent = 0
    for what in happenings:
        happen(world, job, what)
        now = Job.objects.get(pk=job.pk)
        assert final in (None, now.state)
        assert (now.percent or 0) >= percent
        percent = now.percent or 0
        final = now.state if now.state in FINAL else None
    events = list(job.events.order_by("number"))
    assert [e.number for e in events] == list(range(1, len(events) + 1))
    for earlier, later in pairwise(events):
        assert later.old_state == earlier.new_state
    check_money(world, job, final)


def happen(world: World, job: Job, what: RemoteStatus | str) -> None:
    before = Job.objects.get(pk=job.pk)
    if what == "dismiss":
        dismiss(actor=world.researcher, job=before)
    elif what == "sending" and before.state == State.SUBMITTED:
        move(lock(job.pk), State.SUBMITTING, actor="test")
    elif isinstance(what, RemoteStatus) and before.state != State.SUBMITTED:
        apply(job.pk, what, actor="test")


def check_money(world: World, job: Job, final: str | None) -> None:
    bill = JobBill.objects.get(pk=job.pk)
    if final in SUCCESSFUL:
        assert bill.state == BillState.AWAITING_USAGE
        assert job.outputs.count() == 1
    elif final is not None:
        assert bill.state == BillState.RELEASED
        assert available(world) == 10 * CREDIT
    else:
        assert available(world) == 8 * CREDIT
    assert findings() == []
