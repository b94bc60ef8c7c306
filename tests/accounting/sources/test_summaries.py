"""Summaries from an APEL REST interface and the EGI Accounting Portal, over real HTTP."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from accounting.models import RecordState, RecordType, UsageRecord, UsageSource
from accounting.sources import apel_rest, egi
from common.clock import now
from common.crypto import encrypt
from common.errors import InvalidInput, ProviderNonsense, ProviderRefused, ProviderTimeout
from tests.accounting.sources.place import make_source, place_with, run
from tests.fakes.http_server import Received, Reply, ScriptedServer

TODAY = date(2026, 3, 5)


@pytest.fixture(autouse=True)
def today(clock: Callable[[datetime], None]) -> None:
    """Midnight does not come while a test runs."""
    clock(datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC))


class Summaries(ScriptedServer):
    """Pages of two rows; `from` leaves its day out."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []

    def work(self, got: Received) -> Reply:
        if got.headers.get("authorization") != "Bearer s3cret":
            return Reply(401, b"{}")
        query = got.query
        if "from" not in query or sum(name in query for name in ("user", "group", "service")) > 1:
            return Reply(400, b"{}")
        after = datetime.strptime(query["from"], "%Y%m%d").replace(tzinfo=UTC).date()
        rows = [r for r in self.rows if date(r["Year"], r["Month"], r["Day"]) > after]
        if "group" in query:
            rows = [r for r in rows if r["VOGroup"] == query["group"]]
        page = int(query.get("page", 1))
        following = f"{self.base}{got.target.partition('&page')[0]}&page={page + 1}"
        answer = {
            "count": len(rows),
            "next": following if len(rows) > page * 2 else None,
            "previous": None,
            "results": rows[page * 2 - 2 : page * 2],
        }
        return Reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def days(self) -> list[str]:
        return [got.query["from"] for got in self.received]


def day(back: int, wall: int = 3600, **more: Any) -> dict[str, Any]:
    at = TODAY - timedelta(days=back)
    return {
        "VOGroup": "/tep",
        "SiteName": "CLOUD-1",
        "GlobalUserName": "CN=Ada",
        "Year": at.year,
        "Month": at.month,
        "Day": at.day,
        "WallDuration": wall,
        "EarliestStartTime": "2026-01-01T00:00:00",
        "LatestStartTime": None,
        "UpdateTime": "2026-01-02T00:00:00",
        **more,
    }


@pytest.fixture
def summaries() -> Iterator[Summaries]:
    with Summaries() as started:
        yield started


def source_of(server: ScriptedServer, kind: str, path: str, **fields: Any) -> UsageSource:
    source = make_source(kind, f"{server.base}{path}", secret=encrypt("s3cret"), **fields)
    UsageSource.objects.update(created_at=now() - timedelta(days=30))
    return source


def current() -> Any:
    return UsageRecord.objects.filter(superseded_by=None)


@pytest.mark.django_db
def test_daily_summaries_are_read_page_by_page_and_revised(summaries: Summaries) -> None:
    summaries.rows = [day(back) for back in range(4, -1, -1)]
    source = source_of(summaries, "apel-rest", "/api/v1/cloud/record/summary")
    assert run(source).records == 5
    assert current().count() == 5
    assert {r.type for r in current()} == {RecordType.CLOUD_SUMMARY}
    assert summaries.days() == [f"{TODAY - timedelta(days=31):%Y%m%d}"] * 3
    assert run(source).loaded == 0
    summaries.rows[3] = day(1, wall=7200, UpdateTime="2026-01-03T00:00:00")
    summaries.rows[4] = day(0, UpdateTime="2026-01-03T00:00:00")  # the same figures
    run(source)
    assert summaries.days()[-1] == f"{TODAY - timedelta(days=8):%Y%m%d}"
    assert sorted(r.wall_seconds for r in current()) == [3600, 3600, 3600, 3600, 7200]
    assert UsageRecord.objects.count() == 6


@pytest.mark.django_db
def test_one_filter_is_passed_on(summaries: Summaries) -> None:
    summaries.rows = [day(1), day(1, VOGroup="/other")]
    source = source_of(summaries, "apel-rest", "/summary", options={"group": "/other"})
    assert run(source).records == 1
    assert current().get().fields["VOGroup"] == "/other"


@pytest.mark.django_db
def test_the_token_stays_at_its_place_whatever_the_next_page_is(summaries: Summaries) -> None:
    with Summaries() as elsewhere:
        page = {"results": [], "next": f"{elsewhere.base}/summary?from=20260101"}
        summaries.reply("any", Reply(200, json.dumps(page).encode()))
        with pytest.raises(ProviderRefused):
            run(source_of(summaries, "apel-rest", "/summary"))
        assert "authorization" not in elsewhere.received[0].headers


@pytest.mark.django_db
def test_pages_without_end_are_given_up(
    summaries: Summaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apel_rest, "MOST_PAGES", 3)
    page = {"results": [day(1)], "next": "?page=1"}
    summaries.reply("any", Reply(200, json.dumps(page).encode()), times=None)
    source = source_of(summaries, "apel-rest", "/summary")
    with pytest.raises(ProviderNonsense):
        run(source)
    assert len(summaries.received) == 3
    assert not UsageRecord.objects.exists()


@pytest.mark.django_db
def test_pages_that_take_longer_than_a_worker_has_are_given_up(
    summaries: Summaries, settings: Any
) -> None:
    settings.DUE_LEASE_SECONDS = 1
    page = {"results": [day(1)], "next": "?page=1"}
    summaries.reply("any", Reply(200, json.dumps(page).encode(), delay=0.3), times=None)
    with pytest.raises(ProviderTimeout):
        run(source_of(summaries, "apel-rest", "/summary"))
    assert len(summaries.received) < 10


@pytest.mark.django_db
def test_pages_that_do_not_fit_into_memory_are_given_up(
    summaries: Summaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apel_rest, "MOST_BYTES", 100_000)
    page = {"results": [day(1, note="x" * 40_000)], "next": "?page=1"}
    summaries.reply("any", Reply(200, json.dumps(page).encode()), times=None)
    with pytest.raises(ProviderNonsense):
        run(source_of(summaries, "apel-rest", "/summary"))
    assert len(summaries.received) == 3


# --- EGI ---------------------------------------------------------------------------------------

COLUMNS = ["time", "site", "vo", "infrastructure", "number_of_jobs", "raw_cpu_eff", "raw_wc_time"]


def month(back: int) -> str:
    at = TODAY.replace(day=1)
    for _ in range(back):
        at = (at - timedelta(days=1)).replace(day=1)
    return f"{at}T00:00:00Z"


def rows(jobs: int = 12) -> list[list[Any]]:
    return [
        [month(5), "OLD", "tep", "Grid", 1, 0.5, 1],
        [month(1), "A", "tep", "Grid", 7, 0.5, 100],
        [month(0), "A", "tep", "Grid", jobs, 0.5, 200],
        [month(0), "A", "other", "Cloud", 3, None, 300],
        [month(0), "B", "tep", "Grid-Local", 4, 0.5, 400],
    ]


def as_json(table: list[list[Any]], **last: Any) -> bytes:
    series = [
        {"name": "summary", "columns": COLUMNS, "values": table[:2], "partial": True},
        {"name": "summary", "columns": COLUMNS, "values": table[2:], **last},
    ]
    return json.dumps({"results": [{"series": series[:1]}, {"series": series[1:]}, {}]}).encode()


def as_csv(table: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([COLUMNS, *table])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


@pytest.mark.django_db
@pytest.mark.parametrize("form", [as_json, as_csv])
def test_groups_are_reconciled_and_never_charged(form: Any) -> None:
    with ScriptedServer() as server:
        server.reply("any", Reply(200, form(rows())), times=2)
        source = source_of(server, "egi", "/data", options={"vos": ["tep"]})
        assert run(source).records == 3
        assert run(source).loaded == 0
        server.reply("any", Reply(200, form(rows(jobs=15))))
        run(source)
    found = {(r.site, r.fields["time"][:7]): r for r in current()}
    assert {key: r.fields["number_of_jobs"] for key, r in found.items()} == {
        ("A", month(1)[:7]): "7",
        ("A", month(0)[:7]): "15",
        ("B", month(0)[:7]): "4",
    }
    assert {(r.type, r.state, r.cost, r.group_name) for r in found.values()} == {
        (RecordType.NORMALISED, RecordState.FREE, None, "tep")
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"a,b\n1,2\n",
        b"time,site\nyesterday,A\n",
        b'time,site\n"unclosed',
        b"time\n\xff",
        as_json(rows(), partial=True),
        b'{"results": 1}',
        b'{"results": [{"series": [{"columns": 1, "values": []}]}]}',
        b'{"results": [{"series": [1]}]}',
        b'{"results": [{"series": [1, {}]}]}',
        b'{"results": [{"series": [{"columns": ["time"], "values": [1]}]}]}',
    ],
)
def test_nonsense_is_said(body: bytes) -> None:
    with ScriptedServer() as server:
        server.reply("any", Reply(200, body))
        with pytest.raises(ProviderNonsense):
            run(source_of(server, "egi", "/data"))
    assert UsageSource.objects.get().failures == 1
    assert not UsageRecord.objects.exists()


@pytest.mark.parametrize(
    ("adapter", "options"),
    [
        (apel_rest, {"user": "a", "group": "b"}),
        (apel_rest, {"user": 1}),
        (apel_rest, {"overlap_days": -1}),
        (apel_rest, {"overlap_days": True}),
        (apel_rest, {"vo": "x"}),
        (egi, {"vos": "tep"}),
        (egi, {"months": "3"}),
        (egi, {"user": "x"}),
    ],
)
def test_settings_that_cannot_be_right(adapter: Any, options: dict[str, Any]) -> None:
    good = {"address": "https://accounting.example.invalid/json"}
    adapter.check(place_with(good))
    with pytest.raises(InvalidInput) as refused:
        adapter.check(place_with({**good, "options": options}))
    assert refused.value.locator == "options"
