"""Virtual machines, their summaries, accelerators, and public addresses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from accounting.models import Unit
from accounting.usage.forms import parse
from tests.accounting.forms.build import (
    AT,
    envelope,
    fields_at_fault,
    only,
    refused,
    text,
    warned,
    without,
)

V02, V04 = "APEL-cloud-message: v0.2", "APEL-cloud-message: v0.4"
SUMMARY = "APEL-cloud-summary-message: v0.4"
BEGUN = datetime(2026, 1, 20, tzinfo=UTC)
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC)
DAY = 86400
MACHINE: dict[str, Any] = {
    "VMUUID": "2b1d2b5e-9a4e-4b8e-8a57-1f5e8a6b0c01",
    "SiteName": "TEP-CLOUD-1",
    "RecordCreateTime": datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC),
    "StartTime": BEGUN,
    "Status": "started",
    "WallDuration": 10 * DAY,
    "CpuDuration": 20 * DAY,
    "CpuCount": 2,
}
GPU: dict[str, Any] = {
    "SiteName": "TEP-CLOUD-1",
    "AssociatedRecordType": "cloud",
    "AssociatedRecord": MACHINE["VMUUID"],
    "FQAN": "/tep.urban/maps",
    "Count": 1,
    "AvailableDuration": 100,
    "MeasurementMonth": 2,
    "MeasurementYear": 2026,
    "Type": "GPU",
}
ADDRESSES = {
    "MeasurementTime": 1769904000,
    "SiteName": "TEP-CLOUD-1",
    "CloudType": "OpenStack",
    "IPVersion": 6,
    "IPCount": 3,
}


def gpus(*records: dict[str, Any]) -> bytes:
    return envelope("APEL-accelerator-message", "0.1", *records)


def addresses(*records: dict[str, Any]) -> bytes:
    return envelope("APEL Public IP message", "0.2", *records)


@pytest.mark.parametrize(
    ("fields", "month", "measured"),
    [
        ({}, 1, MACHINE["RecordCreateTime"]),
        (
            {"RecordCreateTime": datetime(2026, 2, 1, tzinfo=UTC)},
            2,
            datetime(2026, 2, 1, tzinfo=UTC),
        ),
        ({"RecordCreateTime": None}, 1, datetime(2026, 1, 30, tzinfo=UTC)),
        (
            {"RecordCreateTime": None, "SuspendDuration": 5 * DAY},
            2,
            datetime(2026, 2, 4, tzinfo=UTC),
        ),
        (
            {"Status": "Completed", "EndTime": datetime(2026, 2, 2, tzinfo=UTC)},
            2,
            datetime(2026, 2, 2, tzinfo=UTC),
        ),
        ({"Status": "stopped", "EndTime": 0}, 1, MACHINE["RecordCreateTime"]),
    ],
)
def test_month_of_the_measurement(fields: dict[str, Any], month: int, measured: datetime) -> None:
    record = only(text(V04, {**MACHINE, **fields}))
    assert (record.month, record.ended) == (date(2026, month, 1), measured)
    assert record.key == (MACHINE["VMUUID"], f"2026-{month:02}-01")
    assert record.counter_of == MACHINE["VMUUID"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"VMUUID": None}, {"VMUUID"}),
        ({"SiteName": "null"}, {"SiteName"}),
        ({"Status": "completed", "EndTime": 0}, {"EndTime"}),
        ({"Status": "completed"}, {"EndTime"}),
        ({"EndTime": datetime(2026, 1, 19, tzinfo=UTC)}, {"EndTime"}),
        ({"RecordCreateTime": None, "StartTime": None}, {"RecordCreateTime"}),
        ({"RecordCreateTime": datetime(2026, 3, 4, tzinfo=UTC)}, {"RecordCreateTime"}),
        ({"RecordCreateTime": None, "WallDuration": 50 * DAY}, {"WallDuration"}),
        ({"RecordCreateTime": None, "WallDuration": 9 * 10**15}, {"WallDuration"}),
        ({"WallDuration": -1}, {"WallDuration"}),
        ({"CpuCount": "x"}, {"CpuCount"}),
        ({"CpuCount": 10**12}, {"CpuCount"}),
        ({"CpuCount": "1e400"}, {"CpuCount"}),
        ({"Memory": "8 GB"}, {"Memory"}),
        ({"SuspendDuration": "-1"}, {"SuspendDuration"}),
        ({"SuspendDuration": "x", "Status": "completed", "EndTime": FEBRUARY}, {"SuspendDuration"}),
        (
            {"RecordCreateTime": "x", "Status": "completed", "EndTime": FEBRUARY},
            {"RecordCreateTime"},
        ),
        ({"BenchmarkType": "hepspec", "Benchmark": 10**9}, {"Benchmark"}),
    ],
)
def test_machines_that_are_refused(fields: dict[str, Any], wrong: set[str]) -> None:
    assert fields_at_fault(text(V04, {**MACHINE, **fields})) == wrong


def test_what_a_machine_used_since_it_began() -> None:
    fields = {
        "CpuCount": "1.5",
        "NetworkInbound": "0.0000000011",
        "NetworkOutbound": 2,
        "BenchmarkType": "Si2k",
        "Benchmark": "2500",
        "Memory": 8192,
        "Disk": 80,
    }
    record = only(text(V04, {**MACHINE, **fields}))
    assert record.quantities == {
        Unit.WALL_HOUR: 10 * DAY,
        Unit.CPU_CORE_HOUR: 20 * DAY,
        Unit.WALL_CORE_HOUR: 15 * DAY,
        Unit.HS23_HOUR: 20 * DAY * 10_000,
        Unit.NET_GB: 2 * 10**9 + 2,  # a begun byte counts
    }
    assert (record.processors, record.level_milli) == (2, 2_500_000)


def test_a_benchmark_of_zero_is_none() -> None:
    record = only(text(V04, {**MACHINE, "BenchmarkType": "hepspec", "Benchmark": "0.0"}))
    assert (record.benchmark, record.level_milli) == ("none", 1000)


def test_the_older_version_knows_less() -> None:
    newer = {"CloudComputeService": "a", "PublicIPCount": 1}
    assert warned(text(V04, {**MACHINE, **newer})) == []
    assert warned(text(V02, {**MACHINE, **newer})) == list(newer)
    assert warned(text(V02, {**MACHINE, "MeasurementMonth": 1, "UpdateTime": "x"})) == []


def test_the_last_measurement_of_a_month_counts() -> None:
    later = {**MACHINE, "RecordCreateTime": datetime(2026, 2, 3, tzinfo=UTC)}
    got = parse(text(V04, MACHINE, {**MACHINE, "WallDuration": 1}, later), at=AT)
    assert [record.wall_seconds for record in got.records] == [1, 10 * DAY]


def test_summary_of_machines() -> None:
    fields = {
        "SiteName": "TEP-CLOUD-1",
        "Month": 2,
        "Year": 2026,
        "NumberOfVMs": 3,
        "VO": "tep.urban",
        "WallDuration": DAY,
        "CpuDuration": DAY,
        "CpuCount": "2.0",
    }
    record = only(text(SUMMARY, fields))
    assert (record.type, record.month, record.group) == ("cloud-sum", date(2026, 2, 1), "tep.urban")
    assert (record.counter_of, record.quantities[Unit.WALL_CORE_HOUR]) == ("", 2 * DAY)
    same = only(text(SUMMARY, {**fields, "CpuCount": 2, "WallDuration": 7}))
    assert same.key == record.key
    assert only(text(SUMMARY, {**fields, "Status": "x"})).key != record.key
    assert fields_at_fault(text(SUMMARY, {**fields, "Month": 4, "NumberOfVMs": None})) == {
        "Month",
        "NumberOfVMs",
    }


def test_accelerator_of_a_job_names_it() -> None:
    record = only(gpus({**GPU, "AssociatedRecordType": "job", "AssociatedRecord": 4711}))
    assert (record.type, record.job, record.group) == ("accelerator", "4711", "tep.urban")
    machine = only(gpus(GPU))
    assert (machine.job, machine.other_names) == ("", (MACHINE["VMUUID"],))
    assert machine.ended == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "quantity"),
    [
        ({}, 100_000),
        ({"Count": 0.5}, 50_000),
        ({"Count": "0.1234"}, 12_340),
        ({"Count": 0.00001}, 1),
        ({"ActiveDuration": 0}, 0),
        ({"ActiveDuration": 40, "Count": 2}, 80_000),
    ],
)
def test_thousandths_of_a_device_times_seconds(fields: dict[str, Any], quantity: int) -> None:
    assert only(gpus({**GPU, **fields})).quantities == {Unit.GPU_HOUR: quantity}


def test_other_devices_are_kept_without_price() -> None:
    body = gpus({**GPU, "Type": "FPGA"}, {**GPU, "ActiveDuration": 101})
    got = parse(body, at=AT)
    assert [record.quantities for record in got.records] == [{}, {Unit.GPU_HOUR: 101_000}]
    assert warned(body) == ["Type", "ActiveDuration"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        *[({key: None}, {key}) for key in GPU],
        ({"MeasurementMonth": 3}, set()),
        ({"MeasurementMonth": 4}, {"MeasurementMonth"}),
        ({"Count": True}, {"Count"}),
        ({"Count": [1]}, {"Count"}),
        ({"Count": -1}, {"Count"}),
        ({"Count": float("nan")}, {"Count"}),
        ({"Count": float("inf")}, {"Count"}),
        ({"AvailableDuration": 1.5}, {"AvailableDuration"}),
        ({"AvailableDuration": 10**40}, {"AvailableDuration"}),
        ({"SiteName": "a\nb"}, {"SiteName"}),
        ({"SiteName": "a\0b"}, {"", "SiteName"}),
        ({"Model": "\ud800"}, {""}),
    ],
)
def test_accelerators_that_are_refused(fields: dict[str, Any], wrong: set[str]) -> None:
    got = parse(gpus({**GPU, **fields}), at=AT)
    assert {fault.field for bad in got.bad for fault in bad.faults} == wrong


def test_public_addresses() -> None:
    record = only(addresses({**ADDRESSES, "uuid": "x"}))
    assert (record.month, record.free != "") == (date(2026, 2, 1), True)
    later = {**ADDRESSES, "MeasurementTime": ADDRESSES["MeasurementTime"] + 1}
    assert only(addresses(later)).key != record.key
    wrong = {**ADDRESSES, "IPVersion": 5, "IPCount": -1, "MeasurementTime": "x"}
    assert fields_at_fault(addresses(wrong)) == {"IPVersion", "IPCount", "MeasurementTime"}
    assert fields_at_fault(addresses(without(ADDRESSES, *ADDRESSES))) == {
        "MeasurementTime",
        "SiteName",
        "CloudType",
    }


@pytest.mark.parametrize(("kind", "version"), [("x", "0.1"), ("APEL-accelerator-message", "0.2")])
def test_envelopes_that_are_none(kind: str, version: str) -> None:
    assert refused(envelope(kind, version, GPU)) == [(1, "")]


def test_faults_of_json_are_told_at_their_lines() -> None:
    body = gpus(GPU, {**GPU, "Count": "x"}).replace(b", ", b",\n")
    ((line, field),) = faults_of(body)
    assert field == "Count"
    assert body.decode().split("\n")[line - 1] == '"Count": "x",'


def test_records_of_a_message_in_one_line_are_told_by_their_number() -> None:
    body = gpus(GPU, {**GPU, "Count": "x"}, {**GPU, "Count": "y"})
    assert faults_of(body) == [(2, "Count"), (3, "Count")]


def faults_of(body: bytes) -> list[tuple[int, str]]:
    return [(fault.line, fault.field) for bad in parse(body, at=AT).bad for fault in bad.faults]
