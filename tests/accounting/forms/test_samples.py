"""Every shared sample message is read as the reference says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from accounting.models import Unit
from accounting.usage.forms import parse
from tests.accounting.forms.build import sample, warned

AT = datetime(2026, 4, 1, tzinfo=UTC)
ADA = "CN=Ada Example,O=Institute,C=XX"
JANUARY = date(2026, 1, 1)


def read(name: str):
    return parse(sample(f"accounting/{name}"), at=AT)


@pytest.mark.parametrize("version", ["0.3", "0.4"])
def test_jobs_say_the_same_in_both_versions(version: str) -> None:
    got = read(f"job-v{version}.txt")
    other, job = got.records  # the third record repeats the key of the first: the last one counts
    assert (got.form, got.bad, [w.line for w in got.warnings]) == ("apel-job", (), [job.line])
    assert job.job == "7d5c1f0e-3b0e-4b63-9d02-9f6f0f6f7a11"
    assert (job.cpu_seconds, job.wall_seconds, job.processors) == (20400, 5400, 4)
    assert (job.benchmark, job.level_milli) == ("hepscore23", 14700)
    assert job.quantities == {
        Unit.CPU_CORE_HOUR: 20400,
        Unit.WALL_HOUR: 5400,
        Unit.WALL_CORE_HOUR: 4 * 5400,
        Unit.HS23_HOUR: 20400 * 14700,
        Unit.MEM_GB_HOUR: 7340032 * 5400,
    }
    assert (job.started, job.ended) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 1, 30, tzinfo=UTC),
    )
    assert (job.user, job.group, job.month) == (ADA, "tep.urban", JANUARY)
    assert job.key == (job.site, job.job, "1767231000")
    # 2500 SI2k are 10 HEPSPEC06.
    assert (other.benchmark, other.quantities[Unit.HS23_HOUR]) == ("si2k", 58 * 10_000)
    assert other.user == "CN=Łukasz Öberg,O=Institute,C=XX"
    assert other.fields["VORole"] == "Role=prod"


def test_the_good_records_and_the_bad_one_are_told_apart() -> None:
    body = sample("accounting/bad-last-record.txt")
    got = parse(body, at=AT)
    (bad,) = got.bad
    assert len(got.records) == 2
    assert [(f.line, f.field) for f in bad.faults] == [(bad.line, "EndTime")]
    assert bad.text in body.decode()
    assert body.decode().split("\n")[bad.line - 1] == "Site: TEP-CENTRE-1"


def test_summary() -> None:
    (record,) = read("summary-v0.2.txt").records
    assert (record.type, record.month, record.jobs) == ("summary", JANUARY, 37)
    assert (record.site, record.user, record.group) == ("TEP-CENTRE-2", ADA, "tep.urban")
    assert record.quantities[Unit.CPU_CORE_HOUR] == 2_500_000
    assert record.quantities[Unit.HS23_HOUR] == 2_500_000 * 11_500
    assert record.ended == datetime(2026, 1, 31, tzinfo=UTC)


def test_normalised_summary_prefers_hepscore() -> None:
    (record,) = read("normalised-v0.4.txt").records
    assert (record.type, record.benchmark, record.jobs) == ("normalised", "hepscore23", 2)
    assert record.quantities[Unit.HS23_HOUR] == 42_840_000


def test_sync_is_never_charged() -> None:
    (record,) = read("sync-v0.1.txt").records
    assert (record.type, record.month, record.jobs) == ("sync", JANUARY, 3)
    assert record.submit_host == "wps.example.org:443/wps"
    assert record.free
    assert not record.quantities


def test_machines_are_counters_of_their_month() -> None:
    first, second = read("cloud-v0.4.txt").records
    assert warned(sample("accounting/cloud-v0.4.txt"), AT) == [""]  # two of one month: the last
    assert first.counter_of == "2b1d2b5e-9a4e-4b8e-8a57-1f5e8a6b0c01"
    assert (first.month, first.ended) == (date(2026, 2, 1), datetime(2026, 2, 8, tzinfo=UTC))
    assert first.quantities[Unit.WALL_HOUR] == 1_209_600
    assert (second.month, second.processors) == (JANUARY, 1)
    assert second.quantities[Unit.WALL_CORE_HOUR] == 43_200
    assert (second.user, second.group) == ("bob", "tep.hydro")


def test_accelerators_by_their_share_of_a_device() -> None:
    whole, shared = read("accelerator-v0.1.json").records
    assert whole.quantities == {Unit.GPU_HOUR: 2 * 360_000 * 1000}
    assert shared.quantities == {Unit.GPU_HOUR: 86_400 * 500}
    assert (whole.line, shared.line, whole.job) == (2, 3, "")
    assert shared.key[2] == "77777777-9a4e-4b8e-8a57-1f5e8a6b0c02"


def test_public_addresses_cost_nothing() -> None:
    (record,) = read("public-ip-v0.2.json").records
    assert (record.type, record.user, record.group) == ("public-ip", "ada", "tep.urban")
    assert record.free


def test_car_is_a_job() -> None:
    (record,) = read("car-1.2.xml").records
    assert (record.type, record.job, record.line) == ("job", "4711", 3)
    assert record.other_names[0] == "https://wps.example.org/jobs/4711"
    assert (record.wall_seconds, record.cpu_seconds, record.processors) == (5400, 19800, 4)
    assert record.ended - record.started == timedelta(minutes=90)
    assert (record.fields["VOGroup"], record.fields["VORole"]) == ("/tep.urban/maps", "Role=prod")
    assert record.quantities[Unit.MEM_GB_HOUR] == 7340032 * 5400
    assert record.free == ""


def test_storage_is_bytes_times_seconds() -> None:
    (record,) = read("star.xml").records
    assert record.key == ("se.example.org/tep.urban/2026-01-01",)
    assert record.quantities == {Unit.STORAGE_GB_DAY: 1_500_000_000_000 * 86_400}
    assert (record.site, record.group, record.fields["Role"]) == (
        "TEP-CENTRE-1",
        "tep.urban",
        "production",
    )


def test_ogf_1_rounds_to_the_second_and_keeps_the_charge_unused() -> None:
    (record,) = read("ur-1.0.xml").records
    assert (record.job, record.wall_seconds, record.cpu_seconds) == ("4712", 234, 200)
    assert (record.fields["Charge"], record.fields["ChargeUnit"]) == ("3.5", "credits")
    assert record.site == "batch.example.org"


@pytest.mark.parametrize(
    ("name", "job", "quantities"),
    [
        (
            "nominal",
            "3c5f6f0e-8a54-4b0f-9a55-0f6d1c1f7a10",
            {
                Unit.CPU_CORE_HOUR: 7200,
                Unit.MEMORY_GB: 4294967296,
                Unit.READ_GB: 1073741824,
                Unit.WRITTEN_GB: 52428800,
                Unit.REQUEST: 1,
            },
        ),
        (
            "drifted-spelling",
            "b0b7d1c2-55c4-4f9a-9a6e-5f2a7d0c1e55",
            {Unit.CPU_CORE_HOUR: 381, Unit.INSTANCE: 3},
        ),
        ("no-ref", "", {Unit.VOLUME_GB: 1099511627776}),
        ("second-step", "3c5f6f0e-8a54-4b0f-9a55-0f6d1c1f7a10", {Unit.CPU_CORE_HOUR: 1800}),
    ],
)
def test_tep_records(name: str, job: str, quantities: dict[str, int]) -> None:
    got = parse(sample(f"tep-portal/usage/record-{name}.json"), at=AT)
    (record,) = got.records
    assert (got.form, record.type, record.job) == ("tep", "tep", job)
    assert record.quantities == quantities
    assert record.key == ("id", record.fields["id"])
    assert record.free == ""


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("missing-account", ["platform", "username"]),
        ("negative", ["quantity[0].value"]),
    ],
)
def test_bad_tep_records(name: str, fields: list[str]) -> None:
    (bad,) = parse(sample(f"tep-portal/usage/record-bad-{name}.json"), at=AT).bad
    assert [fault.field for fault in bad.faults] == fields
