"""A process that is killed anywhere in an import, and messages that somebody has tampered with."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounting import cases, ledger, settlement
from accounting.bills import job_ended
from accounting.check import findings
from accounting.models import (
    JobBill,
    QuarantinedRecord,
    Transfer,
    UsageBill,
    UsageMessage,
    UsageMonth,
    UsageRecord,
)
from accounting.usage import importer, jobless, loading, months, rows
from accounting.usage.apel import write
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from tests.accounting.forms.build import AT
from tests.accounting.forms.test_hostile import mutated, respelled
from tests.accounting.scene import PROVIDER, Scene, send, usage
from tests.accounting.test_usage_jobless import LONG_AGO, RATES, known_as

SENDER = Sender(PROVIDER, keep_good=True, without_jobs=True)
STEPS: list[tuple[Any, str]] = [
    (importer, "parse"),
    (importer, "_open_message"),
    (importer, "_quarantine"),
    (importer, "_load"),
    (loading, "_match"),
    (loading, "lock_cases"),
    (loading, "_set_aside"),
    (loading, "_link"),
    (months, "count_jobs"),
    (rows, "insert_rows"),
    (rows, "update_rows"),
    (settlement, "_correct"),
    (cases, "update_rows"),
    (ledger, "post_many"),
    (jobless, "_open_bills"),
    (jobless, "_book"),
    (jobless, "_save_bills"),
]


class World:
    """Jobs that wait for usage, one charged already; and messages with news of every kind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as past:
            past.setattr("common.clock.timezone.now", lambda: LONG_AGO)
            self.scene = Scene(rates=RATES)
        name = uuid.uuid4().hex
        known_as(self.scene.account, "group", name)
        first, waiting, failed = (self.scene.job() for _ in range(3))
        job_ended(first.pk, successful=True)
        job_ended(waiting.pk, successful=True)
        send(usage(first.pk, 20))
        self.body = write(
            [
                usage(first.pk, 40),  # a revision: charges the difference
                usage(waiting.pk, 10),
                usage(failed.pk, 10),
                usage(f"not the portal's {name}", 30, VO=name),
                usage("bad", 1) | {"EndTime": "soon"},
            ]
        )

    def imported(self) -> None:
        import_message(self.body, source="rest", sender=SENDER)

    def present(self) -> dict[str, Any]:
        """What the import is to come to, and what it would leave twice if it happened twice."""
        current = UsageRecord.objects.filter(superseded_by=None)
        models = (UsageRecord, Transfer, UsageBill, UsageMessage, QuarantinedRecord)
        return {
            "balances": self.scene.balances()[:2],
            "rows": [model.objects.count() for model in models],
            "records": sorted(current.values_list("state", "cost", "revision")),
            "bills": sorted(JobBill.objects.values_list("state", "used", "charged")),
            "jobs": list(UsageMonth.objects.values_list("jobs", flat=True)),
        }


def killed(act: Callable[[], None], module: Any, name: str, *, after: bool) -> bool:
    """Let another process do it, and die at that step; whether it came there."""
    step = getattr(module, name)
    connection.close()
    child = os.fork()
    if child == 0:

        def die(*arguments: Any, **given: Any) -> None:
            if after:
                step(*arguments, **given)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, name, die)
        try:
            act()
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_step_nothing_is_lost_or_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in STEPS:
        for after in (False, True):
            world = World(monkeypatch)
            before = world.present()
            assert killed(world.imported, module, name, after=after), f"{name} is never called"
            committed = world.present()
            if (module, name, after) == (importer, "_load", True):
                assert committed != before
            else:
                assert committed == before, f"{name} left something behind"
            assert findings() == []
            world.imported()
            _happened_once(world, before)


def _happened_once(world: World, before: dict[str, Any]) -> None:
    done = world.present()
    assert done["balances"] == (before["balances"][0] + 2_000 + 1_000 + 3_000, 6_000)
    new = [after - earlier for after, earlier in zip(done["rows"], before["rows"], strict=True)]
    assert new == [4, 3, 1, 1, 1]
    assert findings() == []
    world.imported()
    assert world.present() == done


# --- messages that somebody has tampered with --------------------------------------------------


@pytest.mark.django_db
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.one_of(mutated(), respelled()),
    keep_good=st.booleans(),
    without_jobs=st.booleans(),
)
def test_a_tampered_message_is_imported_whole_or_not_at_all(
    body: bytes, keep_good: bool, without_jobs: bool
) -> None:
    sender = Sender(PROVIDER, keep_good=keep_good, without_jobs=without_jobs)
    with transaction.atomic():
        report = import_message(body, source="rest", sender=sender, received_at=AT)
        stored = UsageMessage.objects.get(pk=report.id)
        assert (stored.state, stored.records_count) == (report.state, report.records)
        assert bool(report.errors) == (report.state != "LOADED")
        loaded = stored.records.count() + report.unchanged
        assert loaded == (0 if report.state == "REJECTED" else report.records)
        assert stored.quarantined.count() == report.quarantined
        assert (report.quarantined > 0) == (report.state == "PARTLY")
        again = import_message(body, source="rest", sender=sender, received_at=AT)
        assert (again.duplicate, again.state, again.id) == (True, report.state, report.id)
        assert stored.records.count() + report.unchanged == loaded
        assert findings() == []
        transaction.set_rollback(True)  # the next one begins anew
