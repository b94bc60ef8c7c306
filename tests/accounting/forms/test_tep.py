"""TEP records: spellings, times, quantities, and what is never charged."""

from __future__ import annotations

from datetime import UTC, date, datetime
from json import dumps
from typing import Any

import pytest

from accounting.models import Unit
from accounting.usage.forms import message_of, parse
from tests.accounting.forms.build import AT, faults, fields_at_fault, only, refused, warned, without

RECORD: dict[str, Any] = {
    "id": "centre-a/run/17/step/1",
    "account": {"platform": "demo-tep", "username": "ada", "ref": "3c5f6f0e"},
    "quantity": [{"id": "CPU_MILLISECONDS", "value": 1000}],
    "hostname": "node3.example.org",
    "timestamp": "2026-02-02T10:15:00Z",
    "status": "NOMINAL",
}


def tep(*records: object) -> bytes:
    return dumps(records[0] if len(records) == 1 else records).encode()


def measured(*quantities: tuple[str, object]) -> dict[str, Any]:
    return {**RECORD, "quantity": [{"id": name, "value": value} for name, value in quantities]}


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-02-02T10:15:00Z",
        "2026-02-02T10:15:00.987Z",
        "2026-02-02T11:15:00+01:00",
        "2026-02-02T10:15:00",
        "2026-02-02 10:15:00",
        "02-02-2026T10:15:00Z",
        1770027300,
        1770027300123,
        "1770027300123",
    ],
)
def test_times_in_every_spelling(stamp: object) -> None:
    record = only(tep({**RECORD, "timestamp": stamp}))
    assert record.ended == datetime(2026, 2, 2, 10, 15, tzinfo=UTC)
    assert record.month == date(2026, 2, 1)


@pytest.mark.parametrize(
    "stamp",
    ["yesterday", "32-01-2026T00:00:00Z", "2026-03-04T00:00:00Z", 0, -1, True, [1], "1" * 30],
)
def test_times_that_cannot_be(stamp: object) -> None:
    assert fields_at_fault(tep({**RECORD, "timestamp": stamp})) == {"timestamp"}


def test_without_a_time_the_receipt_counts() -> None:
    body = tep(without(RECORD, "timestamp"))
    assert only(body).ended == AT
    assert warned(body) == ["timestamp"]


def test_other_spellings() -> None:
    other = {
        **without(RECORD, "account", "hostname", "timestamp"),
        "account": {"platform": "B", "userName": "ada"},
        "hostName": "node3.example.org",
        "timeStamp": RECORD["timestamp"],
    }
    record = only(tep(other))
    assert (record.user, record.site, record.job) == ("ada", "node3.example.org", "")
    assert record.ended == only(tep(RECORD)).ended


@pytest.mark.parametrize(
    ("quantities", "expected"),
    [
        ([("CPU_MILLISECONDS", 1)], {Unit.CPU_CORE_HOUR: 1}),
        ([("CPU_MILLISECONDS", 1000.0)], {Unit.CPU_CORE_HOUR: 1}),
        ([("CPU_MILLISECONDS", "1000.000000000000000001")], {Unit.CPU_CORE_HOUR: 2}),
        ([("CPU_MILLISECONDS", 400), ("CPU_MILLISECONDS", 600)], {Unit.CPU_CORE_HOUR: 1}),
        ([("VM_MILLISECONDS", 2001)], {Unit.WALL_HOUR: 3}),
        ([("PHYSICAL_MEMORY_BYTES", 5)], {Unit.MEMORY_GB: 5}),
        ([("BYTE_READ", 5), ("BYTE_WRITTEN", 6)], {Unit.READ_GB: 5, Unit.WRITTEN_GB: 6}),
        ([("NETWORK_IN", 0.5), ("NETWORK_OUT", 0.5)], {Unit.NET_GB: 1}),
        ([("PROC_INSTANCE", 3), ("NUM_REQ", 4)], {Unit.INSTANCE: 3, Unit.REQUEST: 4}),
        ([("PROC_VOLUME_BYTES", 9 * 10**15)], {Unit.VOLUME_GB: 9 * 10**15}),
        ([("NUM_REQ", "1e3")], {Unit.REQUEST: 1000}),
        ([], {}),
    ],
)
def test_quantities_are_exact(
    quantities: list[tuple[str, object]], expected: dict[str, int]
) -> None:
    record = only(tep(measured(*quantities)))
    assert record.quantities == expected
    assert record.cpu_seconds == expected.get(Unit.CPU_CORE_HOUR)


def test_no_number_passes_through_floating_point() -> None:
    body = tep(RECORD).replace(b"1000}", b"8999999999999999999.0}")
    assert fields_at_fault(body) == {"quantity[0].value"}
    exact = tep(RECORD).replace(b"1000}", b"8999999999999999.0001}")
    assert only(exact).quantities == {Unit.CPU_CORE_HOUR: 9_000_000_000_000}
    assert only(exact).fields["quantity"][0]["value"] == "8999999999999999.0001"


def test_unknown_quantities_are_kept_without_price() -> None:
    body = tep(measured(("GPU_SPARKLES", 7), ("NUM_REQ", 1)))
    record = only(body)
    assert record.quantities == {Unit.REQUEST: 1}
    assert record.fields["quantity"][0] == {"id": "GPU_SPARKLES", "value": 7}
    (warning,) = parse(body, at=AT).warnings
    assert "GPU_SPARKLES: no rate" in warning.reason


@pytest.mark.parametrize(
    "value", [-1, "x", None, True, [], {}, float("nan"), float("inf"), "1e99", 10**400, "٣", ""]
)
def test_values_that_are_no_number(value: object) -> None:
    assert fields_at_fault(tep(measured(("NUM_REQ", value)))) == {"quantity[0].value"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"id": None}, {"id"}),
        ({"id": ""}, {"id"}),
        ({"id": {}}, {"id"}),
        ({"id": "x" * 256}, {"id"}),
        ({"id": "a\nb"}, {"id"}),
        ({"account": None}, {"platform", "username"}),
        ({"account": "ada"}, {"account", "platform", "username"}),
        ({"account": {"platform": "x", "username": ""}}, {"username"}),
        ({"account": {"platform": "x", "username": "ada", "ref": []}}, {"ref"}),
        ({"compound": 1}, {"compound"}),
        ({"quantity": None}, {"quantity"}),
        ({"quantity": {}}, {"quantity"}),
        ({"quantity": [1]}, {"quantity[0]"}),
        ({"quantity": [{"value": 1}]}, {"quantity[0].id"}),
        ({"status": 1.5}, set()),
    ],
)
def test_what_a_record_must_hold(fields: dict[str, Any], wrong: set[str]) -> None:
    got = parse(tep({**RECORD, **fields}), at=AT)
    assert {fault.field for bad in got.bad for fault in bad.faults} == wrong


@pytest.mark.parametrize(
    ("status", "free", "odd"),
    [
        ("NOMINAL", False, False),
        ("DEGRADED", False, False),
        ("FAILED", False, False),
        (None, False, False),
        ("test", True, False),
        ("QUOTATION", True, False),
        ("PARTYING", False, True),
    ],
)
def test_status_says_whether_it_is_charged(status: str | None, free: bool, odd: bool) -> None:
    body = tep({**RECORD, "status": status})
    assert bool(only(body).free) is free
    assert bool(warned(body)) is odd


def test_the_same_record_again_is_one_and_another_under_its_id_is_a_fault() -> None:
    again = parse(tep(RECORD, RECORD), at=AT)
    assert (len(again.records), len(again.warnings), again.bad) == (1, 1, ())
    other = parse(tep(RECORD, {**RECORD, "status": "DEGRADED"}), at=AT)
    assert [record.fields["status"] for record in other.records] == ["NOMINAL"]
    assert [(bad.line, bad.faults[0].field) for bad in other.bad] == [(2, "id")]


def test_a_list_may_hold_good_and_bad_ones() -> None:
    body = b"[\n" + b",\n\n".join(tep(r) for r in (RECORD, {**RECORD, "id": 5, "status": {}}, {}))
    got = parse(body + b"\n]", at=AT)
    assert [record.line for record in got.records] == [2]
    assert [bad.line for bad in got.bad] == [4, 6]
    assert [fault.field for fault in got.bad[0].faults] == ["status"]
    corrected = got.bad[0].text.replace("{}", '"FAILED"')
    assert only(message_of(got.header, corrected)).key == ("id", "5")


def test_a_key_given_twice_is_refused_wherever_it_is() -> None:
    body = tep(RECORD).replace(b'"value": 1000', b'"value": 1000, "value": 1')
    assert faults(body) == [(1, "value")]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[",
        b"[]x",
        b'{"id": 1}}',
        b"[1]",
        b"[[]]",
        b'["x"]',
        b"{,}",
        b"{1: 2}",
        b'{"UsageRecords": [1, ]}',
        b'{"UsageRecords": [{}',
        b'{"a" "b"}',
        b'{"a": tru}',
        b'{"a": "\x01"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'[{"id": ' + b"[" * 3000 + b"]" * 3000 + b"}]",
    ],
)
def test_what_is_no_message(body: bytes) -> None:
    assert refused(body) == [(1, "")]


def test_nesting_has_an_end() -> None:
    compound = {"any": None}
    for _ in range(40):
        compound = {"any": compound}
    assert faults(tep({**RECORD, "compound": compound})) == [(1, "")]
    assert only(tep({**RECORD, "compound": {"any": {"deep": [[[1]]]}}})).fields["compound"]


def test_an_empty_list_is_a_message_without_records() -> None:
    assert parse(b" [ ] ", at=AT).records == ()
