"""Records and bills are written as sets: what is in them comes out as it went in."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounting.bills import job_ended
from accounting.booking import transfer_key
from accounting.check import findings
from accounting.ledger import broken_rule, named
from accounting.models import JobBill, UsageMessage, UsageRecord
from accounting.selectors import job_cost
from common.bulk import insert_rows, update_rows
from common.ids import time_ordered
from tests.accounting.postings import START
from tests.accounting.scene import Scene, kinds, send, usage
from tests.flush import triggers_off

pytestmark = pytest.mark.django_db
# What means something in a text for COPY, in an array, or in JSON.
ODD = ("\\N", "a\\tb", 'say "so"', "{1,2}", "NULL", "it's \\", "\u00e9\u4e2d", "a\\\\.")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_odd_texts_are_stored_as_they_came(scene: Scene) -> None:
    bills = [scene.job() for _ in ODD]
    for bill in bills:
        job_ended(bill.pk, successful=True)
    send(*(usage(b.pk, 5, GlobalUserName=odd, FQAN=odd) for b, odd in zip(bills, ODD, strict=True)))
    stored = {r.bill_id: r for r in UsageRecord.objects.all()}
    for bill, odd in zip(bills, ODD, strict=True):
        record = stored[bill.pk]
        expected = "" if odd == "NULL" else odd
        assert (record.user_name, record.fields.get("GlobalUserName", "")) == (expected, expected)
        assert record.quantities["CPU_CORE_HOUR"] == 5
        assert len(kinds(bill)) == 2
    pairs = [(record.pk, f"{record.user_name}\t\n\r") for record in stored.values()]
    update_rows(UsageRecord, ("id", "note"), pairs)
    assert dict(UsageRecord.objects.values_list("pk", "note")) == dict(pairs)
    lengths = [(pk, 7 if n else None) for n, (pk, _note) in enumerate(pairs)]
    update_rows(UsageRecord, ("id", "wall_seconds"), lengths)
    assert dict(UsageRecord.objects.values_list("pk", "wall_seconds")) == dict(lengths)


def test_numbers_beyond_64_bits_are_kept(scene: Scene) -> None:
    bill = scene.job()
    send(usage(bill.pk, 5, wall=9 * 10**15, MemoryReal=9 * 10**15))
    assert UsageRecord.objects.get().quantities["MEM_GB_HOUR"] == 81 * 10**30


def test_a_record_needs_its_message_and_its_bill(scene: Scene) -> None:
    bill = scene.job()
    send(usage(bill.pk, 5))
    record = UsageRecord.objects.values().get()
    names = [name for name in record if name != "id"]
    for change in ({"message_id": "0" * 64}, {"bill_id": uuid.uuid4()}):
        values = {**record, "natural_key": "other", **change}
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            insert_rows(UsageRecord, names, [[values[name] for name in names]])
        assert broken_rule(refused.value) == "acc_usage_links"
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            UsageRecord.objects.update(**change)
        assert broken_rule(refused.value) == "acc_usage_links"
    connection.check_constraints()
    for model in (UsageMessage, JobBill):
        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            model.objects.all()._raw_delete("default")
        assert broken_rule(refused.value) == "acc_append_only"
    assert UsageRecord.objects.count() == 1


def test_a_bill_that_names_no_charge_is_found(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 5))
    assert findings() == []
    JobBill.objects.update(charge_id=uuid.uuid4())
    found = [told.partition(": ")[2] for told in findings()]
    assert found == ["its bill names a charge that is not booked."]
    connection.check_constraints()
    with triggers_off() as cursor:
        cursor.execute("UPDATE acc_usage_record SET message_id = 'none'")
    assert any("is of a message that is not there" in told for told in findings())


def test_what_is_for_a_job_is_found_by_a_look_into_an_index(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 5))
    with CaptureQueriesContext(connection) as asked:
        assert named(str(bill.pk)) == [bill.hold_id]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # so few rows are read faster whole
        explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{explain} {asked[0]['sql']}")
        assert "acc_transfer_reference" in str(cursor.fetchall())
    assert {t.kind for t in job_cost(bill.pk).transfers} == {"HOLD", "CHARGE"}


def test_ids_of_transfers_follow_from_the_job_and_sort_as_jobs_do(clock) -> None:
    jobs = [time_ordered() for _ in range(50)]
    acts = ("hold", "charge", "release")
    keys = [transfer_key(act, str(job)) for job in jobs for act in acts]
    assert keys == [transfer_key(act, str(job)) for job in jobs for act in acts]
    assert len({*keys, *map(str, jobs)}) == 4 * len(jobs)
    for key, job in zip(keys, (job for job in jobs for _ in acts), strict=True):
        uid = uuid.UUID(key)
        assert (str(uid), uid.version, uid.variant) == (key, 8, uuid.RFC_4122)
        assert key[:13] == str(job)[:13]
    clock(START + timedelta(milliseconds=1))
    assert max(jobs) < time_ordered()
    assert {(job.version, job.variant) for job in jobs} == {(7, uuid.RFC_4122)}
