"""Running totals from a search that behaves as Elasticsearch does, with all its traps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounting.bills import job_ended
from accounting.check import findings
from accounting.models import JobBill, RecordState, UsageMessage, UsageRecord, UsageSource
from accounting.sources import t2
from common.crypto import encrypt
from common.errors import InvalidInput, ProviderNonsense, ProviderTimeout
from tests.accounting.scene import Scene
from tests.accounting.sources.place import make_source, place_with, run
from tests.fakes.http_server import Received, Reply, ScriptedServer

TOTAL = (
    b'{"aggregations": {"user": {"buckets": [{"key": "ada", "account_ref": {"buckets": [{"key": "j"'
    b', "quantities": {"quantity": {"buckets": [{"key": "CPU_MILLISECONDS", "total": {"value": 0.5}'
    b"}]}}}]}}]}}}"
)
MS = 1000  # milliseconds in a second


@dataclass
class Measured:
    ref: str
    value: float
    at: datetime
    quantity: str = "CPU_MILLISECONDS"
    user: str = "ada"
    status: str = "NOMINAL"


class Search(ScriptedServer):
    """Records of measurements, and what a search sums of them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Measured] = []

    def work(self, got: Received) -> Reply:
        if got.headers.get("authorization") != "Bearer s3cret":
            return Reply(401, b"{}")
        asked = json.loads(got.body)
        assert asked["size"] == 0
        users = asked["aggregations"]["user"]
        by_user: dict[str, list[Measured]] = defaultdict(list)
        for record in self._found(asked["query"]["bool"]):
            by_user[record.user].append(record)
        answer = {
            "hits": {"hits": []},
            "aggregations": {"user": self._terms(users, by_user, self._jobs)},
        }
        return Reply(200, json.dumps(answer).encode())

    def _found(self, query: dict[str, Any]) -> Iterator[Measured]:
        window = query["must"][0]["range"]["@timestamp"]
        names = [part["terms"]["account.userName"] for part in query["must"][1:]]
        left_out = query["must_not"][0]["terms"]["status"]
        for record in self.records:
            inside = window["gte"] <= record.at.isoformat() < window["lt"]
            if inside and record.status not in left_out and all(record.user in n for n in names):
                yield record

    def _jobs(self, asked: dict[str, Any], records: list[Measured]) -> dict[str, Any]:
        by_ref: dict[str, list[Measured]] = defaultdict(list)
        for record in records:
            by_ref[record.ref].append(record)
        aggregation = asked["aggregations"]["account_ref"]
        return {"account_ref": self._terms(aggregation, by_ref, self._quantities)}

    def _quantities(self, asked: dict[str, Any], records: list[Measured]) -> dict[str, Any]:
        by_id: dict[str, list[Measured]] = defaultdict(list)
        for record in records:
            by_id[record.quantity].append(record)
        nested = asked["aggregations"]["quantities"]
        assert nested["nested"] == {"path": "quantity"}
        aggregation = nested["aggregations"]["quantity"]
        return {"quantities": {"quantity": self._terms(aggregation, by_id, self._total)}}

    @staticmethod
    def _total(_asked: dict[str, Any], records: list[Measured]) -> dict[str, Any]:
        return {"total": {"value": float(sum(record.value for record in records))}}

    @staticmethod
    def _terms(asked: dict[str, Any], groups: dict[str, Any], inside: Any) -> dict[str, Any]:
        """As Elasticsearch: the largest, ten unless a size is given; the rest is only counted."""
        terms = asked["terms"]
        if part := terms.get("include"):
            number = part["num_partitions"]
            groups = {
                k: v for k, v in groups.items() if sum(k.encode()) % number == part["partition"]
            }
        order = sorted(groups, key=lambda key: -len(groups[key]))
        shown = order[: terms.get("size", 10)]
        return {
            "sum_other_doc_count": sum(len(groups[key]) for key in order[len(shown) :]),
            "buckets": [
                {"key": key, "doc_count": len(groups[key]), **inside(asked, groups[key])}
                for key in shown
            ],
        }


@pytest.fixture
def search() -> Iterator[Search]:
    with Search() as started:
        yield started


@pytest.fixture
def bill(db: None) -> JobBill:
    return job_ended(Scene().job().pk, successful=True)


def source_of(search: Search, *, since_days: int = 0, **fields: Any) -> UsageSource:
    source = make_source("t2", f"{search.base}/_search", secret=encrypt("s3cret"), **fields)
    UsageSource.objects.update(created_at=datetime.now(UTC) - timedelta(days=since_days))
    return source


def charged(bill: JobBill) -> int:
    return JobBill.objects.get(pk=bill.pk).charged


def test_a_growing_total_is_charged_once(search: Search, bill: JobBill) -> None:
    now = datetime.now(UTC)
    search.records = [Measured(str(bill.pk), 10 * MS, now)]
    source = source_of(search)
    assert run(source).loaded == 1
    assert charged(bill) == 1_000
    assert run(source).loaded == 0  # nothing changed: not even a message
    search.records += [
        Measured(str(bill.pk), 20 * MS, now),
        Measured(str(bill.pk), 9 * MS, now, status="TEST"),
    ]
    assert run(source).loaded == 1
    assert charged(bill) == 3_000
    search.records.pop(0)  # corrected downwards, and back to what it had been before
    run(source)
    assert charged(bill) == 2_000
    search.records = [Measured(str(bill.pk), 10 * MS, now)]
    run(source)
    assert charged(bill) == 1_000
    assert list(UsageRecord.objects.order_by("revision").values_list("revision", flat=True)) == [
        1,
        2,
        3,
        4,
    ]
    assert findings() == []


def test_months_add_up_and_overlapping_questions_do_not(search: Search, bill: JobBill) -> None:
    now = datetime.now(UTC)
    last_month = now.replace(day=1, hour=0, minute=0, second=0) - timedelta(seconds=1)
    search.records = [
        Measured(str(bill.pk), 10.4 * MS, last_month),
        Measured(str(bill.pk), 5 * MS, now),
        Measured(str(bill.pk), 1e9, now, quantity="BYTE_READ"),
        Measured(str(bill.pk), 1, now, quantity="UNHEARD_OF"),
    ]
    source = source_of(search, since_days=40)
    run(source)
    search.records.append(Measured(str(bill.pk), 1 * MS, last_month))  # came late
    run(source)
    current = UsageRecord.objects.filter(superseded_by=None, quantities__has_key="CPU_CORE_HOUR")
    assert sorted(r.quantities["CPU_CORE_HOUR"] for r in current) == [5, 12]
    assert charged(bill) == 1_700
    warned = [message.warnings[0]["reason"] for message in UsageMessage.objects.all()]
    assert ["no rate" in reason for reason in warned] == [True, True]


def test_what_was_before_the_source_was_set_up_is_not_asked_for(
    search: Search, bill: JobBill
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=70)
    search.records = [Measured(str(bill.pk), 10 * MS, long_ago)]
    assert run(source_of(search)).loaded == 0


def test_more_jobs_than_fit_an_answer(
    search: Search, bill: JobBill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(t2, "MOST_BUCKETS", 20)
    monkeypatch.setattr("accounting.sources.reports.MOST_ROWS", 7)
    now = datetime.now(UTC)
    refs = [str(bill.pk), *(f"job-{n}" for n in range(99))]
    search.records = [Measured(ref, 10 * MS, now) for ref in refs]
    report = run(source_of(search))
    assert (report.loaded, report.records) == (15, 100)
    assert set(UsageRecord.objects.values_list("local_job_id", flat=True)) == set(refs)
    assert charged(bill) == 1_000
    search.records = [Measured("r", 1, now, user=f"user{n}") for n in range(21)]
    source = UsageSource.objects.get()
    with pytest.raises(ProviderNonsense, match="users"):
        run(source)
    source.options = {"users": ["user7", "user8"]}
    source.save()
    assert run(source).loaded == 1


def test_a_search_that_never_has_enough_parts_keeps_no_worker(
    search: Search, db: None, settings: Any
) -> None:
    settings.DUE_LEASE_SECONDS = 1
    more = b'{"aggregations": {"user": {"buckets": [{"key": "u", "account_ref": {"buckets": [],'
    answer = more + b' "sum_other_doc_count": 1}}]}}}'
    search.reply("any", Reply(200, answer, delay=0.3), times=None)
    with pytest.raises(ProviderTimeout):
        run(source_of(search))
    assert len(search.received) < 10


def test_a_total_of_somebody_elses_job_is_held_back(search: Search, bill: JobBill) -> None:
    foreign = job_ended(Scene().job(provider_id=4711).pk, successful=True)
    search.records = [Measured(str(foreign.pk), 10 * MS, datetime.now(UTC))]
    run(source_of(search))
    assert charged(foreign) == 0
    assert UsageRecord.objects.get().state == RecordState.HELD_BACK


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"aggregations": {"user": []}}',
        b'{"aggregations": {"user": {"buckets": [{"key": "u"}]}}}',
        TOTAL.replace(b"0.5", b"NaN"),
        TOTAL.replace(b"0.5", b"null"),
        TOTAL.replace(b"0.5", b'"0.5"'),
        TOTAL.replace(b"0.5", b"1e999999999"),  # a gigabyte of zeros
        TOTAL.replace(b"0.5", b"1e-999999999"),
        TOTAL.replace(b"0.5", b"1" + b"0" * 400),
    ],
)
def test_nonsense_is_said_and_the_cursor_stays(search: Search, db: None, body: bytes) -> None:
    source = source_of(search)
    search.reply("any", Reply(200, body), times=None)
    with pytest.raises(ProviderNonsense):
        run(source)
    source.refresh_from_db()
    assert (source.cursor, source.failures) == ("", 1)


def test_doubles_are_read_as_they_are_written(search: Search, db: None) -> None:
    search.reply("any", Reply(200, TOTAL.replace(b"0.5", b"1.05E4")), times=None)
    run(source_of(search))
    taken = UsageRecord.objects.get()
    assert (taken.local_job_id, taken.quantities["CPU_CORE_HOUR"]) == ("j", 11)  # begun seconds
    assert taken.fields["value"] == "10500"


def test_whole_numbers_stay_whole(search: Search, db: None) -> None:
    search.reply("any", Reply(200, TOTAL.replace(b"0.5", b"8999999999999999")), times=None)
    run(source_of(search))
    assert UsageRecord.objects.get().fields["value"] == "8999999999999999"


@pytest.mark.parametrize("options", [{"users": "ada"}, {"months": "2"}, {"other": 1}])
def test_settings_that_cannot_be_right(options: dict[str, Any]) -> None:
    good = {"address": "https://t2.example.invalid/_search"}
    t2.check(place_with(good))
    with pytest.raises(InvalidInput) as refused:
        t2.check(place_with({**good, "options": options}))
    assert refused.value.locator == "options"
