"""APEL individual-job messages: what is read, what is refused and where, and writing them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounting.usage.forms import entry, job, message_of, parse
from accounting.usage.forms.values import BENCHMARKS, MOST
from tests.accounting.forms.build import AT, JOB, LINE, faults, jobs, only, refused, without

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
    body = jobs(JOB).partition(b"\n")[2]
    assert refused(header.encode() + b"\n" + body)[0][0] <= 2


def test_later_version_is_read_as_the_last_flat_one() -> None:
    got = parse(jobs(JOB, version="9.9"), at=AT)
    assert len(got.records) == 1
    assert [(w.line, "9.9" in w.reason) for w in got.warnings] == [(1, True)]


@pytest.mark.parametrize("key", ["Site", "LocalJobId", "WallDuration", "CpuDuration", "EndTime"])
@pytest.mark.parametrize("value", [None, "NULL", "none", "", "  "])
def test_missing_or_null_mandatory_field(key: str, value: str | None) -> None:
    line = 2 if value is None else LINE[key]
    assert faults(jobs({**JOB, key: value})) == [(line, key)]


def test_lower_case_key_is_kept_and_then_missed() -> None:
    assert faults(jobs({"site": "A", **without(JOB, "Site")})) == [(2, "Site")]


def test_unknown_keys_are_kept_with_one_warning_each() -> None:
    record = {**JOB, "GpuModel": "x: y", "site": "lower"}
    got = parse(jobs(record, {**record, "LocalJobId": "2"}), at=AT)
    assert [r.fields["extra"] for r in got.records] == [{"GpuModel": "x: y", "site": "lower"}] * 2
    assert [(w.field, w.count) for w in got.warnings] == [("GpuModel", 2), ("site", 2)]


@pytest.mark.parametrize("key", ["WallDuration", "CpuDuration", "Processors", "NodeCount"])
@pytest.mark.parametrize("value", ["10.0", "-10", "+1", "1e3", "0x1", "٣", "1 0", str(MOST + 1)])
def test_whole_numbers_only(key: str, value: str) -> None:
    record = {**without(JOB, key), key: value}
    assert faults(jobs(record)) == [(1 + len(record), key)]


def test_more_cpu_than_processors_give_is_taken_with_a_warning() -> None:
    exactly = {**JOB, "WallDuration": 100, "Processors": 2, "CpuDuration": 210}
    assert parse(jobs(exactly), at=AT).warnings == ()
    above = parse(jobs({**exactly, "CpuDuration": 211}), at=AT)
    assert [w.field for w in above.warnings] == ["CpuDuration"]
    unknown = parse(jobs({**without(JOB, "Processors"), "CpuDuration": 10**9}), at=AT)
    assert unknown.warnings == ()
    assert unknown.records[0].processors is None
    unread = parse(jobs({**exactly, "WallDuration": "10.0"}), at=AT)
    assert (len(unread.bad), unread.warnings) == (1, ())


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
    found = faults(jobs({**JOB, "StartTime": start, "EndTime": end}))
    assert found == [(LINE[field], field)]


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
    assert only(jobs({**JOB, "EndTime": end})).ended == datetime(2026, 1, 1, 1, 30, tzinfo=UTC)


def test_up_to_two_days_ahead_is_taken() -> None:
    end = AT + timedelta(days=2)
    assert only(jobs({**JOB, "EndTime": end})).ended == end


def test_long_queue_is_kept_whole_and_a_longer_text_faults() -> None:
    assert only(jobs({**JOB, "Queue": "q" * 150})).fields["Queue"] == "q" * 150
    assert faults(jobs({**JOB, "Queue": "q" * 256})) == [(9, "Queue")]


@pytest.mark.parametrize(
    "odd",
    [
        b"\xef\xbb\xbf%s",
        b"%s\n\n",
        b"%s%%%%\n%%%%\n",
    ],
)
def test_byte_order_mark_and_empty_records_are_harmless(odd: bytes) -> None:
    assert only(odd % jobs(JOB)).wall_seconds == 5400


def test_blank_lines_crlf_blanks_and_no_last_separator() -> None:
    body = jobs(JOB, {**JOB, "LocalJobId": "2"}).decode()
    body = body.replace("\nSite", "\n%%\n\n  Site \t").removesuffix("%%\n").replace("\n", "  \r\n")
    assert [r.site for r in parse(body.encode(), at=AT).records] == ["TEP-CENTRE-1"] * 2


def test_separator_inside_a_value_is_text() -> None:
    assert only(jobs({**JOB, "Queue": "a%%b"})).fields["Queue"] == "a%%b"


def test_names_are_kept_exactly() -> None:
    name = "CN=Łukasz Öberg 福\u2028\x85,O=x:y"
    assert only(jobs({**JOB, "GlobalUserName": name})).fields["GlobalUserName"] == name


def test_key_given_twice_counts_last() -> None:
    body = jobs(JOB).replace(b"%%", b"WallDuration: 7\nCpuDuration: 7\n%%")
    got = parse(body, at=AT)
    assert got.records[0].wall_seconds == 7
    assert [w.field for w in got.warnings] == ["WallDuration", "CpuDuration"]


def test_every_bad_record_is_told_with_all_its_faults_and_its_text() -> None:
    bad = {**JOB, "EndTime": None, "WallDuration": "x"}
    body = jobs(bad, JOB, bad) + b"no pair\n: no key\nSite\x00: A\n%%\n"
    got = parse(body, at=AT)
    assert [record.line for record in got.records] == [9]
    assert [[(f.line, f.field) for f in bad.faults] for bad in got.bad] == [
        [(2, "EndTime"), (4, "WallDuration")],
        [(17, "EndTime"), (19, "WallDuration")],
        [(24, ""), *[(24, key) for key in job.MANDATORY], (25, ""), (26, "Site?")],
    ]
    assert got.bad[1].text.startswith("Site: TEP-CENTRE-1\n")
    assert got.bad[2].text == "no pair\n: no key\nSite\\x00: A"


def test_a_corrected_record_is_a_message_again() -> None:
    body = jobs({**JOB, "EndTime": None})
    got = parse(body, at=AT)
    corrected = f"{got.bad[0].text}\nEndTime: {JOB['EndTime']}"
    assert only(message_of(got.header, corrected)) == only(
        jobs({**without(JOB, "EndTime"), "EndTime": JOB["EndTime"]})
    )


def test_not_utf8_is_refused_at_the_line() -> None:
    body = jobs({**JOB, "Queue": "X"}).replace(b"X", b"\xff")
    assert refused(body) == [(9, "")]


def test_header_alone_is_a_message_without_records() -> None:
    assert parse(jobs(), at=AT).records == ()


def test_too_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "MOST_RECORDS", 2)
    records = [{**JOB, "LocalJobId": str(n)} for n in range(3)]
    assert len(parse(jobs(*records[:2]), at=AT).records) == 2
    assert refused(jobs(*records)) == [(1, "")]


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
    record = only(jobs({**JOB, **fields}, version=version))
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
def test_benchmark_faults(fields: dict[str, str], version: str) -> None:
    assert {field for _line, field in faults(jobs({**JOB, **fields}, version=version))} <= {
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
    fields = only(jobs({**JOB, "VO": "said", "VORole": "said", "FQAN": fqan})).fields
    assert {k: v for k, v in fields.items() if k.startswith("VO")} == expected
