"""Taking in usage messages: what is stored, matched, held back, refused, and recognised."""

from __future__ import annotations

import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounting.bills import expire_bills, job_dispatched, job_ended
from accounting.check import findings
from accounting.models import Transfer, UsageMessage, UsageRecord
from accounting.models.ledger import MOST
from accounting.usage import importer
from accounting.usage.apel import write
from accounting.usage.importer import import_message
from accounting.usage.records import Sender
from common import clock
from common.errors import TooLarge
from tests.accounting.scene import END, PROVIDER, Scene, send, usage
from tests.factories import make_provider, make_user

pytestmark = pytest.mark.django_db
OTHER = PROVIDER + 1


@pytest.fixture
def scene() -> Scene:
    return Scene()


def record(**filters: Any) -> UsageRecord:
    return UsageRecord.objects.get(**filters)


# --- matching --------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [str, lambda j: str(j).upper(), lambda j: j.hex])
def test_the_portals_identifier_names_a_job_in_any_spelling(scene: Scene, spelling: Any) -> None:
    bill = scene.job()
    report = send(usage(spelling(bill.pk), 10))
    assert (report.state, report.records, report.matched) == ("LOADED", 1, 1)
    assert record().bill == bill


def test_another_providers_job_is_held_back_and_never_charged(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    assert send(usage(bill.pk, 10), provider_id=OTHER).matched == 0
    assert (record().state, record().bill, record().note != "") == ("HELD_BACK", None, True)
    # and it does not stand in the way of the true record, which has the same key
    send(usage(bill.pk, 20), provider_id=PROVIDER)
    assert scene.balances() == (2_000, 0, 2_000)
    # nor can it revise it afterwards
    send(usage(bill.pk, 1), provider_id=OTHER)
    assert scene.balances() == (2_000, 0, 2_000)


def test_the_providers_identifier_is_known_from_dispatch_on(scene: Scene) -> None:
    bill = scene.job()
    send(usage("remote-7", 10))
    send(usage("remote-7", 10, step=1), provider_id=OTHER)
    assert set(UsageRecord.objects.values_list("state", flat=True)) == {"UNMATCHED"}
    job_dispatched(bill.pk, "remote-7")
    send(usage("remote-7", 5, step=2))
    job_ended(bill.pk, successful=True)
    assert scene.balances() == (1_500, 0, 1_500)
    assert record(provider_id=OTHER).state == "UNMATCHED"


def test_an_identifier_that_two_jobs_have_is_held_back(scene: Scene) -> None:
    for _ in range(2):
        job_dispatched(scene.job().pk, "remote-7")
    send(usage("remote-7", 10))
    assert (record().state, record().bill) == ("HELD_BACK", None)


def test_usage_that_crossed_with_the_dispatch_is_found_by_the_sweep(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    job_dispatched(bill.pk, "remote-7")
    send(usage("another", 10))
    # as if the import had looked for the job just before its dispatch was committed
    UsageRecord.objects.update(local_job_id="remote-7")
    expire_bills(clock.now())
    assert scene.balances() == (1_000, 0, 1_000)


def test_a_users_name_decides_nothing(scene: Scene) -> None:
    bill, other = scene.job(), Scene()
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 10, GlobalUserName=other.member.username))
    assert scene.balances()[0] == 1_000
    assert other.balances()[:2] == (0, 0)


def test_an_operators_upload_finds_the_provider_by_job_or_site(scene: Scene) -> None:
    named, dispatched = scene.job(), scene.job()
    job_dispatched(dispatched.pk, "remote-7")
    records = usage(named.pk, 10), usage("remote-7", 10), usage("elsewhere", 10, Site="UNKNOWN")
    report = send(*records, provider_id=None, sites={"SITE": PROVIDER})
    assert report.matched == 2
    by_job = dict(UsageRecord.objects.values_list("local_job_id", "provider_id"))
    assert by_job == {str(named.pk): PROVIDER, "remote-7": PROVIDER, "elsewhere": None}
    # the same from the provider itself, in another message: no effect
    send(*records[:2])
    assert UsageRecord.objects.count() == 3


def test_a_message_that_comes_again_with_its_provider_is_taken_up(scene: Scene) -> None:
    bill = scene.job()
    job_dispatched(bill.pk, "remote-7")
    job_ended(bill.pk, successful=True)
    records = usage("remote-7", 10), usage(bill.pk, 5, step=1)
    assert send(*records, provider_id=None).matched == 1
    assert not send(*records).duplicate
    assert send(*records).duplicate
    assert send(*records, provider_id=None).duplicate
    assert scene.balances() == (1_500, 0, 1_500)


# --- once ------------------------------------------------------------------------------------


def test_the_same_message_a_hundred_times_has_one_effect(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    reports = [send(usage(bill.pk, 10)) for _ in range(100)]
    assert [r.duplicate for r in reports] == [False] + [True] * 99
    assert {(r.id, r.records, r.matched) for r in reports} == {(reports[0].id, 1, 1)}
    assert (UsageMessage.objects.count(), UsageRecord.objects.count()) == (1, 1)
    assert scene.balances() == (1_000, 0, 1_000)


def test_the_same_record_in_other_messages_has_no_effect(scene: Scene) -> None:
    bill, other = scene.job(), scene.job()
    job_ended(bill.pk, successful=True)
    send(usage(bill.pk, 10))
    transfers = Transfer.objects.count()
    send(usage(bill.pk, 10), usage(other.pk, 1))
    send(usage(bill.pk, 10, UpdateTime=END, SubmitHostType="x"))  # fields without a meaning
    assert (UsageRecord.objects.count(), Transfer.objects.count()) == (2, transfers)


def test_a_record_twice_in_one_message_counts_by_its_last(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    report = send(usage(bill.pk, 50), usage(bill.pk, 10))
    assert (report.records, [w["field"] for w in report.warnings]) == (1, [""])
    assert scene.balances() == (1_000, 0, 1_000)


# --- whole or not at all ---------------------------------------------------------------------


def test_one_bad_record_leaves_nothing_but_the_report(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    bad = usage(bill.pk, 10, step=1) | {"EndTime": "soon"}
    good = usage(bill.pk, 10)
    report = send(good, bad, {**bad, "WallDuration": "-1"})
    assert (report.state, report.records, report.matched, report.duplicate) == (
        "REJECTED",
        0,
        0,
        False,
    )
    assert [(e["line"], e["field"]) for e in report.errors] == [
        (16, "EndTime"),
        (21, "WallDuration"),
        (24, "EndTime"),
    ]
    stored = UsageMessage.objects.get()
    assert (stored.state, stored.errors) == ("REJECTED", report.errors)
    assert not UsageRecord.objects.exists()
    assert scene.balances() == (0, 6_000, 0)
    assert send(good, bad, {**bad, "WallDuration": "-1"}).duplicate
    assert send(good).state == "LOADED"
    assert scene.balances() == (1_000, 0, 1_000)


def test_a_rejected_message_can_be_right_later(scene: Scene) -> None:
    bill = scene.job()
    job_ended(bill.pk, successful=True)
    soon = clock.now() + timedelta(days=3)
    body = write([usage(bill.pk, 10) | {"EndTime": soon}])
    first = import_message(body, source="rest", sender=Sender(PROVIDER))
    later = import_message(body, source="rest", sender=Sender(PROVIDER), received_at=soon)
    assert (first.state, later.state, later.duplicate) == ("REJECTED", "LOADED", False)
    assert UsageMessage.objects.get().errors == []
    assert scene.balances() == (1_000, 0, 1_000)


@pytest.mark.parametrize("body", [b"", b"\x00\xff\n", b"<x/>", "Łódź\x00\n".encode() * 50])
def test_nonsense_is_kept_for_looking_at(body: bytes) -> None:
    report = import_message(body, source="upload", signer="s" * 999, sender=Sender())
    assert (report.state, bool(report.errors)) == ("REJECTED", True)
    stored = UsageMessage.objects.get()
    assert len(stored.header) <= 80
    assert "\x00" not in stored.body


def test_too_large_is_not_even_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "MOST_BYTES", 10)
    with pytest.raises(TooLarge):
        import_message(b"x" * 11, source="rest", sender=Sender())
    assert not UsageMessage.objects.exists()


def test_a_price_beyond_all_accounts_is_held_back(scene: Scene) -> None:
    bill = scene.job()
    send(usage(bill.pk, MOST), usage(bill.pk, 10, step=1))
    job_ended(bill.pk, successful=True)
    assert scene.balances() == (1_000, 0, 1_000)
    states = dict(UsageRecord.objects.values_list("cpu_seconds", "state"))
    assert states == {MOST: "HELD_BACK", 10: "CHARGED"}
    assert findings() == []


def test_everything_the_record_said_is_kept(scene: Scene) -> None:
    said = {
        "GlobalUserName": "CN=Łukasz 福",
        "FQAN": "/vo/maps/Role=x",
        "Odd": "1",
        "Queue": "q" * 200,
    }
    send(
        usage(
            "unknown", 10, Processors=4, ServiceLevelType="HEPscore23", ServiceLevel="14.7", **said
        )
    )
    stored = record()
    assert stored.fields["GlobalUserName"] == "CN=Łukasz 福"
    assert stored.fields["VOGroup"] == "/vo/maps"
    assert stored.fields["Queue"] == "q" * 200
    assert stored.fields["extra"] == {"Odd": "1"}
    assert (stored.benchmark, stored.level_milli, stored.processors) == ("hepscore23", 14700, 4)
    assert (stored.site, int(stored.ended.timestamp())) == ("SITE", END)


def test_a_message_takes_as_many_queries_for_many_records_as_for_few(scene: Scene) -> None:
    few, many = ([scene.job() for _ in range(n)] for n in (2, 60))
    for bill in (*few, *many):
        job_ended(bill.pk, successful=True)

    def queries(bills: list[Any]) -> int:
        unknown = [usage(f"unknown-{bill.pk}", 1) for bill in bills]
        with CaptureQueriesContext(connection) as caught:
            assert send(*[usage(b.pk, 10) for b in bills], *unknown).matched == len(bills)
        return len(caught)

    assert queries(many) == queries(few)
    assert scene.balances() == (62_000, 0, 62_000)


# --- the command -----------------------------------------------------------------------------


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("ingest_usage", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_takes_a_file_of_a_provider(scene: Scene, tmp_path: Path) -> None:
    provider = make_provider(make_user(), usage_site="SITE-A")
    bill = scene.job(provider_id=provider.pk, service_id=1)
    job_dispatched(bill.pk, "remote-7")
    file = tmp_path / "message"
    file.write_bytes(write([usage("remote-7", 10, Site="SITE-A")]))
    assert "1 records, 1 of known jobs" in run(str(file))  # found by its site
    assert "known already" in run(str(file), "--provider", provider.slug)
    assert "known already" in run(str(file), "--provider", str(provider.pk))
    assert record().bill == bill


def test_two_providers_of_one_site_are_not_guessed(scene: Scene, tmp_path: Path) -> None:
    for _ in range(2):
        make_provider(make_user(), usage_site="SITE-A")
    file = tmp_path / "message"
    file.write_bytes(write([usage("remote-7", 10, Site="SITE-A")]))
    assert "0 of known jobs" in run(str(file))
    assert record().provider_id is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{}/absent"], "absent"),
        (["{}/bad"], "line 2, Site: is missing"),
        (["{}/bad", "--provider", "nobody"], "no provider nobody"),
        (["{}/bad", "--provider", "9" * 30], "no provider"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, arguments: list[str], told: str) -> None:
    (tmp_path / "bad").write_bytes(write([{"LocalJobId": str(uuid.uuid4())}]))
    with pytest.raises(CommandError, match=told):
        run(*[a.format(tmp_path) for a in arguments])
