"""APEL individual-job messages: what is read, what is refused and where, and writing them."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounting import apel, apel_job
from accounting.apel import Message, UsageRejected, parse, write
from accounting.apel_job import BENCHMARKS, MOST, groups_of

AT = datetime(2026, 2, 1, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "Site": "TEP-CENTRE-1",
    "LocalJobId": "7d5c1f0e-3b0e-4b63-9d02-9f6f0f6f7a11",
    "WallDuration": 5400,
    "CpuDuration": 19800,
    "Processors": 4,
    "StartTime": 1767225600,
    "EndTime": 1767231000,
}
# The lines of GOOD in a message of its own: the header is line 1.
LINE = {key: number for number, key in enumerate(GOOD, 2)}


def message(*records: dict[str, Any], version: str = "0.3") -> bytes:
    return write(records, version=version)


def refused(body: bytes) -> list[tuple[int, str]]:
    with pytest.raises(UsageRejected) as caught:
        parse(body, at=AT)
    assert all(fault.reason for fault in caught.value.faults)
    return [(fault.line, fault.field) for fault in caught.value.faults]


def only(body: bytes) -> apel.JobRecord:
    (record,) = parse(body, at=AT).records
    return record


def without(*keys: str) -> dict[str, Any]:
    return {k: v for k, v in GOOD.items() if k not in keys}


# --- samples ---------------------------------------------------------------------------------


def sample(name: str) -> bytes:
    folder = Path(os.environ.get("TEP_SHARED", Path(__file__).parents[3] / "shared"))
    file = folder / "schemas" / "accounting" / name
    if not file.exists():
        pytest.skip("shared schemas are absent")
    return file.read_bytes()


@pytest.mark.parametrize("version", ["0.3", "0.4"])
def test_both_forms_of_the_sample_say_the_same(version: str) -> None:
    got = parse(sample(f"job-v{version}.txt"), at=AT)
    other, job = got.records  # the third record repeats the key of the first: the last one counts
    assert (job.local_job_id, job.cpu_seconds, job.wall_seconds, job.processors) == (
        "7d5c1f0e-3b0e-4b63-9d02-9f6f0f6f7a11",
        20400,
        5400,
        4,
    )
    assert (job.benchmark, job.level_milli) == ("hepscore23", 14700)
    assert (other.benchmark, other.level_milli) == ("si2k", 2_500_000)
    assert other.fields["GlobalUserName"] == "CN=Łukasz Öberg,O=Institute,C=XX"
    assert (job.started, job.ended) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 1, 30, tzinfo=UTC),
    )
    assert [w.field for w in got.warnings] == ["LocalJobId"]


def test_a_message_with_one_bad_record_is_refused_at_its_line() -> None:
    body = sample("bad-last-record.txt")
    (line, field) = refused(body)[0]
    assert field == "EndTime"
    assert body.decode().split("\n")[line - 1] == "Site: TEP-CENTRE-1"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("summary-v0.2.txt", "APEL-summary-job-message"),
        ("normalised-v0.4.txt", "APEL-normalised-summary-message"),
        ("sync-v0.1.txt", "APEL-sync-message"),
        ("cloud-v0.4.txt", "APEL-cloud-message"),
        ("car-1.2.xml", "XML"),
        ("accelerator-v0.1.json", "JSON"),
    ],
)
def test_other_forms_are_refused_by_name(name: str, told: str) -> None:
    with pytest.raises(UsageRejected, match=told):
        parse(sample(name), at=AT)


# --- verdicts on awkward input ---------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "APEL-individual-job-message",
        "APEL-individual-job-message: ",
        "APEL-individual-job-message: 0.3",
        "apel-individual-job-message: v0.3",
        "APEL-unknown-message: v0.1",
        "Site: A",
        "",
    ],
)
def test_header_that_is_none(header: str) -> None:
    body = message(GOOD).partition(b"\n")[2]
    assert refused(header.encode() + b"\n" + body)[0][0] <= 2


def test_later_version_is_read_as_the_last_flat_one() -> None:
    got = parse(message(GOOD, version="9.9"), at=AT)
    assert len(got.records) == 1
    assert [(w.line, "9.9" in w.reason) for w in got.warnings] == [(1, True)]


@pytest.mark.parametrize("key", ["Site", "LocalJobId", "WallDuration", "CpuDuration", "EndTime"])
@pytest.mark.parametrize("value", [None, "NULL", "none", "", "  "])
def test_missing_or_null_mandatory_field(key: str, value: str | None) -> None:
    line = 2 if value is None else LINE[key]
    assert refused(message({**GOOD, key: value})) == [(line, key)]


def test_lower_case_key_is_kept_and_then_missed() -> None:
    assert refused(message({"site": "A", **without("Site")})) == [(2, "Site")]


def test_unknown_keys_are_kept_with_one_warning_each() -> None:
    record = {**GOOD, "GpuModel": "x: y", "site": "lower"}
    got = parse(message(record, {**record, "LocalJobId": "2"}), at=AT)
    assert [r.fields["extra"] for r in got.records] == [{"GpuModel": "x: y", "site": "lower"}] * 2
    assert [(w.field, w.count) for w in got.warnings] == [("GpuModel", 2), ("site", 2)]


@pytest.mark.parametrize("key", ["WallDuration", "CpuDuration", "Processors", "NodeCount"])
@pytest.mark.parametrize("value", ["10.0", "-10", "+1", "1e3", "0x1", "٣", "1 0", str(MOST + 1)])
def test_whole_numbers_only(key: str, value: str) -> None:
    record = {**without(key), key: value}
    assert refused(message(record)) == [(1 + len(record), key)]


def test_more_cpu_than_processors_give_is_taken_with_a_warning() -> None:
    exactly = {**GOOD, "WallDuration": 100, "Processors": 2, "CpuDuration": 210}
    assert parse(message(exactly), at=AT).warnings == ()
    above = parse(message({**exactly, "CpuDuration": 211}), at=AT)
    assert [w.field for w in above.warnings] == ["CpuDuration"]
    unknown = parse(message({**without("Processors"), "CpuDuration": 10**9}), at=AT)
    assert unknown.warnings == ()
    assert unknown.records[0].processors is None


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (1767231001, 1767231000, "EndTime"),
        (0, 1767231000, "StartTime"),
        (1767231000, int((AT + timedelta(days=2, seconds=1)).timestamp()), "EndTime"),
        ("2026-02-30T00:00:00Z", 1767231000, "StartTime"),
        ("2026-01-01 00:00:00Z", 1767231000, "StartTime"),
        ("2026-01-01T00:00:00", 1767231000, "StartTime"),
        (1, 10**18, "EndTime"),
        (1.5, 1767231000, "StartTime"),
    ],
)
def test_times_that_cannot_be(start: object, end: object, field: str) -> None:
    faults = refused(message({**GOOD, "StartTime": start, "EndTime": end}))
    assert faults == [(LINE[field], field)]


@pytest.mark.parametrize(
    "end",
    [
        "1767231000",
        "2026-01-01T01:30:00Z",
        "2026-01-01T03:30:00+02:00",
        "2026-01-01T01:30:00.75Z",
    ],
)
def test_times_in_every_spelling_are_the_same_instant(end: str) -> None:
    assert only(message({**GOOD, "EndTime": end})).ended == datetime(2026, 1, 1, 1, 30, tzinfo=UTC)


def test_up_to_two_days_ahead_is_taken() -> None:
    end = AT + timedelta(days=2)
    assert only(message({**GOOD, "EndTime": end})).ended == end


def test_long_queue_is_kept_whole_and_a_longer_text_refused() -> None:
    assert only(message({**GOOD, "Queue": "q" * 150})).fields["Queue"] == "q" * 150
    assert refused(message({**GOOD, "Queue": "q" * 256})) == [(9, "Queue")]


@pytest.mark.parametrize(
    "odd",
    [
        b"\xef\xbb\xbf%s",
        b"%s\n\n",
        b"%s%%%%\n%%%%\n",
    ],
)
def test_byte_order_mark_and_empty_records_are_harmless(odd: bytes) -> None:
    assert only(odd % message(GOOD)).wall_seconds == 5400


def test_blank_lines_crlf_blanks_and_no_last_separator() -> None:
    body = message(GOOD, {**GOOD, "LocalJobId": "2"}).decode()
    body = body.replace("\nSite", "\n%%\n\n  Site \t").removesuffix("%%\n").replace("\n", "  \r\n")
    assert [r.site for r in parse(body.encode(), at=AT).records] == ["TEP-CENTRE-1"] * 2


def test_separator_inside_a_value_is_text() -> None:
    assert only(message({**GOOD, "Queue": "a%%b"})).fields["Queue"] == "a%%b"


def test_names_are_kept_exactly() -> None:
    name = "CN=Łukasz Öberg 福\u2028\x85,O=x:y"
    assert only(message({**GOOD, "GlobalUserName": name})).fields["GlobalUserName"] == name


def test_key_given_twice_counts_last() -> None:
    body = message(GOOD).replace(b"%%", b"WallDuration: 7\nCpuDuration: 7\n%%")
    got = parse(body, at=AT)
    assert got.records[0].wall_seconds == 7
    assert [w.field for w in got.warnings] == ["WallDuration", "CpuDuration"]


def test_every_bad_record_is_named() -> None:
    bad = {**GOOD, "EndTime": None, "WallDuration": "x"}
    body = message(bad, GOOD, bad) + b"no pair\n: no key\nSite\x00: A\n%%\n"
    assert refused(body) == [
        (2, "EndTime"),
        (4, "WallDuration"),
        (17, "EndTime"),
        (19, "WallDuration"),
        (24, ""),
        *[(24, key) for key in apel_job.MANDATORY],
        (25, ""),
        (26, "Site?"),
    ]


def test_not_utf8_is_refused_at_the_line() -> None:
    body = message({**GOOD, "Queue": "X"}).replace(b"X", b"\xff")
    assert refused(body) == [(9, "")]


def test_header_alone_is_a_message_without_records() -> None:
    assert parse(message(), at=AT).records == ()


def test_too_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apel, "MOST_RECORDS", 2)
    records = [{**GOOD, "LocalJobId": str(n)} for n in range(3)]
    assert len(parse(message(*records[:2]), at=AT).records) == 2
    assert refused(message(*records)) == [(18, "")]


# --- benchmarks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "version", "expected"),
    [
        ({}, "0.3", ("none", 1000)),
        ({}, "0.4", ("none", 1000)),
        ({"ServiceLevelType": "HEPSPEC", "ServiceLevel": "1"}, "0.2", ("hepspec", 1000)),
        ({"ServiceLevelType": "Si2k", "ServiceLevel": "2500.0005"}, "0.3", ("si2k", 2500001)),
        ({"ServiceLevelType": "other", "ServiceLevel": "2"}, "0.3", ("custom", 2000)),
        ({"ServiceLevel": "{si2k: 2500, HEPSPEC : 10}"}, "0.4", ("hepspec", 10000)),
        ({"ServiceLevel": "{hepspec: 14.2, hepscore23: 14.7}"}, "0.4", ("hepscore23", 14700)),
    ],
)
def test_benchmark(fields: dict[str, str], version: str, expected: tuple[str, int]) -> None:
    record = only(message({**GOOD, **fields}, version=version))
    assert (record.benchmark, record.level_milli) == expected
    assert record.benchmark in (*BENCHMARKS, "none", "custom")


@pytest.mark.parametrize(
    ("fields", "version"),
    [
        ({"ServiceLevel": "1"}, "0.3"),
        ({"ServiceLevelType": "HEPSPEC"}, "0.3"),
        ({"ServiceLevelType": "HEPSPEC", "ServiceLevel": "0"}, "0.3"),
        ({"ServiceLevelType": "HEPSPEC", "ServiceLevel": "nan"}, "0.3"),
        ({"ServiceLevel": "14.7"}, "0.4"),
        ({"ServiceLevel": "{}"}, "0.4"),
        ({"ServiceLevel": "{other: 1}"}, "0.4"),
        ({"ServiceLevel": "{hepspec: 1, HEPSPEC: 1}"}, "0.4"),
        ({"ServiceLevel": "{hepspec: 1, }"}, "0.4"),
        ({"ServiceLevel": "{hepspec 1}"}, "0.4"),
        ({"ServiceLevel": "{hepspec: x}"}, "0.4"),
    ],
)
def test_benchmark_refused(fields: dict[str, str], version: str) -> None:
    assert {field for _line, field in refused(message({**GOOD, **fields}, version=version))} <= {
        "ServiceLevel",
        "ServiceLevelType",
    }


# --- FQAN ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fqan", "expected"),
    [
        (
            "/tep.urban/maps/Role=prod/Capability=NULL",
            {"VO": "tep.urban", "VOGroup": "/tep.urban/maps", "VORole": "Role=prod"},
        ),
        ("/tep.urban;/other", {"VO": "tep.urban", "VOGroup": "/tep.urban"}),
        ("/vo/role=x", {"VO": "vo", "VOGroup": "/vo", "VORole": "role=x"}),
        ("a project", {"VO": "a project"}),
    ],
)
def test_fqan_decides_the_groups(fqan: str, expected: dict[str, str]) -> None:
    assert groups_of(fqan) == expected
    fields = only(message({**GOOD, "VO": "said", "VORole": "said", "FQAN": fqan})).fields
    assert {k: v for k, v in fields.items() if k.startswith("VO")} == expected


# --- whatever comes --------------------------------------------------------------------------

KEYS = st.sampled_from([*apel_job.MANDATORY, *apel_job.OPTIONAL, "ServiceLevelType", "Odd", ""])
VALUES = st.one_of(
    st.sampled_from(
        ["", "NULL", "0", "1", "-1", "1.5", "1767225600", "{hepspec: 1}", "%%", "x" * 300]
    ),
    st.sampled_from(
        ["2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"]
    ),
    st.text(max_size=20),
)
LINES = st.one_of(
    st.tuples(KEYS, st.sampled_from([":", ": ", " : ", ""]), VALUES).map("".join),
    st.sampled_from(["%%", " %% ", "", "\r", "\x00: 1"]),
)
HEADERS = st.sampled_from(["", "v0.1", "v0.3", "v0.4", "v9.9"]).map(f"{apel.JOB}: {{}}".format)


@settings(max_examples=400)
@given(
    st.one_of(
        st.binary(),
        st.tuples(HEADERS, st.lists(LINES)).map(lambda t: "\n".join((t[0], *t[1])).encode()),
    )
)
@example(b"")
@example(b"APEL-individual-job-message: v0.3\nStartTime: 253402300800\n")
def test_any_bytes_are_read_or_refused_with_lines(body: bytes) -> None:
    try:
        got: Message | UsageRejected = parse(body, at=AT)
    except UsageRejected as refusal:
        got = refusal
    if isinstance(got, UsageRejected):
        assert got.faults
        assert all(1 <= fault.line <= body.count(b"\n") + 1 for fault in got.faults)
        assert all("\x00" not in str(fault) for fault in got.faults)
        return
    for record in got.records:
        assert record.started <= record.ended <= AT + apel_job.AHEAD
        assert record.site
        assert record.local_job_id
        assert 0 <= record.wall_seconds <= MOST


TEXT = (
    st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60)
    .map(str.strip)
    .filter(lambda t: t and t.lower() not in ("null", "none"))
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "Site": TEXT,
                "LocalJobId": TEXT,
                "WallDuration": st.integers(0, MOST),
                "CpuDuration": st.integers(0, MOST),
                "StartTime": st.integers(1, 1767225600),
                "EndTime": st.integers(1767225600, int(AT.timestamp())),
            },
            optional={
                "Processors": st.integers(1, 2**31 - 1),
                "Queue": TEXT,
                "GlobalUserName": TEXT,
                "ServiceLevel": st.fixed_dictionaries({"hepspec": st.integers(1, 1000)}),
            },
        ),
        max_size=5,
        unique_by=lambda r: (r["Site"], r["LocalJobId"], r["EndTime"]),
    )
)
def test_what_is_written_is_read(records: list[dict[str, Any]]) -> None:
    got = parse(write(records, version="0.4"), at=AT).records
    assert len(got) == len(records)
    for record, wrote in zip(got, records, strict=True):
        assert (record.site, record.local_job_id) == (wrote["Site"], wrote["LocalJobId"])
        assert (record.wall_seconds, record.cpu_seconds) == (
            wrote["WallDuration"],
            wrote["CpuDuration"],
        )
        assert int(record.ended.timestamp()) == wrote["EndTime"]
        assert record.processors == wrote.get("Processors")
        # and again from what was read
        assert only(write([record.fields], version="0.4")).fields == record.fields


@pytest.mark.parametrize("bad", [{"Site": "a\nb"}, {"a:b": 1}, {" ": 1}])
def test_what_cannot_be_carried_is_not_written(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        write([bad])
