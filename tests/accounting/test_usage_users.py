"""Who a TEP record says ran a job, and records of one job in two forms."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounting.accounts import user_account
from accounting.bills import job_dispatched, job_ended
from accounting.check import findings
from accounting.models import JobBill, UsageMessage, UsageRecord
from accounting.usage import desk
from accounting.usage.importer import ImportReport, import_message
from accounting.usage.records import Sender
from tests.accounting.scene import PROVIDER, Scene, send, usage
from tests.accounting.test_usage_jobless import known_as
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture(autouse=True)
def sound_books(db: None) -> Iterator[None]:
    yield
    assert findings() == []


def ended(scene: Scene) -> JobBill:
    return job_ended(scene.job().pk, successful=True)


def record(job: object, user: str, cpu: int = 10, **more: Any) -> dict[str, Any]:
    return {
        "id": uuid.uuid4().hex,
        "account": {"platform": "portal", "username": user, "ref": str(job)},
        "quantity": [{"id": "CPU_MILLISECONDS", "value": cpu * 1000}],
        "hostname": "node",
        "timestamp": "2026-01-02T10:15:00Z",
        **more,
    }


def tep(*records: dict[str, Any], sender: Sender | None = None) -> ImportReport:
    body = json.dumps(list(records)).encode()
    return import_message(body, source="rest", sender=sender or Sender(PROVIDER))


def states() -> list[str]:
    return list(UsageRecord.objects.order_by("pk").values_list("state", flat=True))


def test_the_jobs_member_in_every_spelling_is_charged(scene: Scene) -> None:
    name = scene.member.username
    for spelled in (name, name.upper(), f"tep_{name}"):
        tep(record(ended(scene).pk, spelled))
    assert states() == ["CHARGED"] * 3
    assert scene.balances()[0] == 3_000


def test_another_name_is_held_back_until_somebody_confirms(scene: Scene) -> None:
    bill, operator = ended(scene), make_user(is_staff=True)
    report = tep(record(bill.pk, make_user().username), record(bill.pk, scene.member.username))
    assert (report.matched, sorted(states())) == (1, ["CHARGED", "HELD_BACK"])
    held = UsageRecord.objects.get(state="HELD_BACK")
    assert str(bill.pk) in held.note
    assert scene.balances()[0] == 1_000
    for _ in range(2):
        done = desk.release_held_back(held, actor=operator)
        assert (done.state, done.bill_id) == ("CHARGED", bill.pk)
        assert done.decided_by == f"user:{operator.pk}"
    assert scene.balances()[0] == 2_000


def test_a_held_back_record_is_given_to_another_job(scene: Scene) -> None:
    bill, other, operator = ended(scene), ended(scene), make_user(is_staff=True)
    tep(record(bill.pk, "somebody"))
    done = desk.assign_to_job(UsageRecord.objects.get(), other.pk, actor=operator)
    assert (done.state, done.bill_id) == ("CHARGED", other.pk)


def test_a_name_that_an_operator_explained_is_no_mismatch(scene: Scene) -> None:
    known_as(user_account(scene.member), "user", "CN=ada")
    known_as(user_account(make_user()), "user", "CN=bob")
    tep(record(ended(scene).pk, "CN=ada"))
    tep(record(ended(scene).pk, "CN=bob"))
    assert states() == ["CHARGED", "HELD_BACK"]


def test_what_is_free_and_what_names_no_job_is_as_before(scene: Scene) -> None:
    tep(record(ended(scene).pk, "somebody", status="QUOTATION"))
    tep(record(uuid.uuid4(), "somebody"))
    assert states() == ["FREE", "UNMATCHED"]


def test_so_it_is_when_the_job_turns_up_later(scene: Scene) -> None:
    bill = ended(scene)
    tep(record("run-7", "somebody"), record("run-7", scene.member.username))
    assert states() == ["UNMATCHED", "UNMATCHED"]
    JobBill.objects.filter(pk=bill.pk).update(provider_job_id="run-7")
    desk.rematch([PROVIDER])
    assert sorted(states()) == ["CHARGED", "HELD_BACK"]
    assert scene.balances()[0] == 1_000


def test_names_are_compared_with_one_query_and_apel_with_none(scene: Scene) -> None:
    def queries(log: CaptureQueriesContext, table: str) -> int:
        asked = [str(q["sql"]) for q in log]  # a copy into a table is logged without its text
        return len([sql for sql in asked if "people_user" in sql and table in sql])

    name = scene.member.username
    with CaptureQueriesContext(connection) as log:
        tep(*(record(ended(scene).pk, name) for _ in range(5)))
    assert queries(log, "acc_job_bill") == 1
    with CaptureQueriesContext(connection) as log:
        send(usage(ended(scene).pk, 10))
    assert not queries(log, "")


def test_usage_in_two_forms_is_warned_of(scene: Scene) -> None:
    bill, single = ended(scene), ended(scene)
    assert send(usage(bill.pk, 10)).warnings == []
    assert tep(record(single.pk, scene.member.username)).warnings == []
    report = tep(record(bill.pk, scene.member.username))
    (warning,) = report.warnings
    assert (warning["field"], warning["count"]) == ("job", 1)
    assert "two forms" in warning["reason"]
    assert "two forms" in UsageMessage.objects.get(pk=report.id).warnings[0]["reason"]


def test_a_job_known_by_its_providers_name_only(scene: Scene) -> None:
    bill = scene.job()
    job_dispatched(bill.pk, "remote-1")
    job_ended(bill.pk, successful=True)
    tep(record("remote-1", "somebody"))
    assert states() == ["HELD_BACK"]


def test_what_came_before_its_job_was_known_by_that_name_is_compared_too(scene: Scene) -> None:
    bill = scene.job()
    tep(record("early-1", "somebody"), record("early-1", scene.member.username))
    assert states() == ["UNMATCHED", "UNMATCHED"]
    job_dispatched(bill.pk, "early-1")
    assert sorted(states()) == ["HELD_BACK", "MATCHED"]
    job_ended(bill.pk, successful=True)
    assert sorted(states()) == ["CHARGED", "HELD_BACK"]
    assert scene.balances()[0] == 1_000
