"""Whatever comes: it is read or refused, in bounded time, and what is read can be stored."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from json import dumps
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accounting.usage.forms import parse
from accounting.usage.forms.entry import MOST_RECORDS
from accounting.usage.forms.text import FORMS
from accounting.usage.forms.values import AHEAD
from accounting.usage.records import Message, Record, UsageRejected
from tests.accounting.forms.build import AT, JOB, SHARED, envelope, jobs, text
from tests.accounting.forms.documents import COMPUTE, car, ogf, ogf2, star
from tests.accounting.forms.test_machines import ADDRESSES, GPU, MACHINE
from tests.accounting.forms.test_summaries import NORMALISED, NORMALISED_V04, SUMMARY, V02
from tests.accounting.forms.test_tep import RECORD, tep

_CONTROL = re.compile("[\x00-\x1f\x7f]")
MB = 1024 * 1024


def samples() -> list[bytes]:
    folders = [Path(SHARED, name) for name in ("accounting", "tep-portal/usage")]
    files = [file for folder in folders if folder.exists() for file in sorted(folder.iterdir())]
    return [file.read_bytes() for file in files if file.suffix in {".txt", ".xml", ".json"}]


TOTAL = {"ref": "a", "quantity": "NUM_REQ", "value": "1", "month": "2026-01"}
GROUP = {"time": "2026-01-01T00:00:00Z", "site": "A", "vo": "v", "number_of_jobs": "1"}
OWN = [
    jobs(JOB, {**JOB, "ServiceLevelType": "Si2k", "ServiceLevel": "2500.5", "FQAN": "/a/Role=b"}),
    jobs({**JOB, "ServiceLevel": {"hepspec": 3}}, version="0.4"),
    text(V02, SUMMARY),
    text(NORMALISED_V04, {**NORMALISED, "NormalisedWallDuration": {"hepspec": 1}}),
    text("APEL-cloud-message: v0.4", MACHINE),
    text("APEL-cloud-summary-message: v0.4", {**SUMMARY, "SiteName": "A", "NumberOfVMs": 1}),
    envelope("APEL-accelerator-message", "0.1", GPU, {**GPU, "Count": 0.5}),
    envelope("APEL Public IP message", "0.2", ADDRESSES),
    envelope("TEP-running-totals", "1.0", TOTAL),
    envelope("EGI-portal-summary", "1.0", GROUP),
    tep(RECORD, {**RECORD, "id": "2"}),
    car(Memory="<Memory>1</Memory>"),
    star(),
    ogf(),
    ogf2(ComputeUsageBlock=COMPUTE, JobUsageBlock="<LocalJobId>1</LocalJobId>"),
]
MESSAGES = OWN + samples()

# --- what must hold of anything that was read --------------------------------------------------


def read(body: bytes) -> Message | None:
    """The message, if it is one; what is refused says why and where."""
    try:
        got: Message | UsageRejected = parse(body, at=AT)
    except UsageRejected as refusal:
        got = refusal
    if isinstance(got, Message):
        check(got, body)
        return got
    assert got.faults
    assert all(1 <= fault.line <= body.count(b"\n") + 1 for fault in got.faults)
    assert not _CONTROL.search(str(got))
    return None


def check(message: Message, body: bytes) -> None:
    assert len({(r.type, *r.key) for r in message.records}) == len(message.records)
    assert len({bad.line for bad in message.bad}) == len(message.bad)
    for record in message.records:
        check_record(record)
    for bad in message.bad:
        assert bad.faults
        assert "\0" not in bad.text
        bad.text.encode()
    most = max(body.count(b"\n"), body.count(b"<"), body.count(b"{")) + 1
    remarks = [*message.warnings, *(fault for bad in message.bad for fault in bad.faults)]
    for remark in remarks:
        assert 1 <= remark.line <= most
        assert remark.reason
        assert not _CONTROL.search(str(remark))
        str(remark).encode()


def check_record(record: Record) -> None:
    stored = dumps(record.fields, ensure_ascii=False, allow_nan=False)
    assert "\\u0000" not in stored.replace("\\\\", "")
    stored.encode()
    assert record.ended <= AT + AHEAD
    assert record.started is None or record.started <= record.ended
    assert len("\n".join(record.key).encode()) <= 610
    for value in (record.site, record.job, record.user, record.group, record.submit_host):
        assert len(value) <= 255
        assert not _CONTROL.search(value)
    assert not any(_CONTROL.search(part) for part in record.key)
    numbers = [*record.quantities.values(), record.level_milli, record.jobs or 0]
    numbers += [record.wall_seconds or 0, record.cpu_seconds or 0, record.processors or 0]
    assert all(type(number) is int and number >= 0 for number in numbers)
    assert record.level_milli > 0
    assert record.month is None or record.month.day == 1


# --- generated and mutated -------------------------------------------------------------------

TOKENS = st.sampled_from(
    [
        *(b"\0", b"\r\n", b"\n", b"%%\n", b": ", b"\xff", b"\xc2\x85", "\u2028".encode(), b"\t"),
        *(b"-1", b"0", b"1e400", b"1e99", b"NaN", b"Infinity", b"9" * 25, b"0.5", b"null", b"true"),
        *(b"<", b"</", b"&lt;", b"&x;", b"<![CDATA[", b'"', b"{", b"}", b"[", b"]", b",", b"\\"),
        *(b"\\u0000", b"\\ud800", b"PT1S", b"P9999999999Y", b"9999-12-31T23:59:59-23:59"),
        *(b"9999-12-31T23:59:59Z", b"9999-12", b"253402300799000"),
        *(b"0001-01-01T00:00:00+23:59", b"{hepspec: 1}", b"{}", b"/a/Role=", b"x" * 300),
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real message in which pieces are replaced, repeated, removed or exchanged."""
    body = draw(st.sampled_from(MESSAGES))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.sampled_from([0, 1, 2, 5, 12, 60, 400])))
        piece = draw(st.one_of(TOKENS, st.just(body[start:end] * 2), st.binary(max_size=3)))
        body = body[:start] + piece + body[end:]
    return body


@st.composite
def respelled(draw: st.DrawFn) -> bytes:
    """A real message with the value of one field exchanged: what a careless producer sends."""
    body = draw(st.sampled_from(MESSAGES))
    places = list(re.finditer(rb"(?<=: )[^\n,}\]]+|(?<=>)[^<>\n]+(?=<)|(?<==\")[^\"]*", body))
    place = draw(st.sampled_from(places))
    return body[: place.start()] + draw(TOKENS) + body[place.end() :]


UNBORN = {**MACHINE, "Status": "started", "StartTime": "11769299200", "EndTime": "0"}


@settings(max_examples=600)
@given(st.one_of(mutated(), respelled()))
@example(text("APEL-cloud-message: v0.4", UNBORN))
def test_mutated_messages_are_read_or_refused(body: bytes) -> None:
    read(body)


HEADERS = st.sampled_from([f"{name}: v{v}" for name, versions in FORMS.items() for v in versions])
KEYS = st.sampled_from(sorted({k for vs in FORMS.values() for f in vs.values() for k in f.keys}))
VALUES = st.one_of(TOKENS.map(lambda b: b.decode("utf-8", "replace")), st.text(max_size=12))
LINES = st.one_of(st.tuples(KEYS, VALUES).map(": ".join), st.sampled_from(["%%", "", ":", "\r"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(RECORD, JSON),
        **dict.fromkeys(("compound", "account"), st.dictionaries(st.sampled_from(["id"]), JSON)),
    },
)


@settings(max_examples=300)
@given(
    st.one_of(
        st.binary(),
        st.tuples(HEADERS, st.lists(LINES)).map(lambda t: "\n".join((t[0], *t[1])).encode()),
        st.lists(MEMBERS.map(lambda members: RECORD | members)).map(lambda r: dumps(r).encode()),
        st.lists(MEMBERS.map(lambda members: GPU | members)).map(
            lambda records: envelope("APEL-accelerator-message", "0.1", *records)
        ),
        JSON.map(lambda value: dumps(value).encode()),
    )
)
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"APEL-individual-job-message: v0.3\nStartTime: 253402300800\n")
def test_generated_messages_are_read_or_refused(body: bytes) -> None:
    read(body)


def test_real_messages_are_read() -> None:
    assert all(read(body) for body in MESSAGES)


# --- much --------------------------------------------------------------------------------------

MANY = MOST_RECORDS // 10
MUCH: dict[str, tuple[Callable[[], bytes], int | None]] = {
    "records": (lambda: numbered(MOST_RECORDS), MOST_RECORDS),
    "too many": (lambda: numbered(MOST_RECORDS + 1), None),
    "separators": (lambda: jobs(JOB) + b"%%\n" * MB, 1),
    "blank lines": (lambda: jobs(JOB) + b"\n" * 5 * MB, 1),
    "bad records": (lambda: jobs(*({"Odd": n} for n in range(MOST_RECORDS))), 0),
    "bad lines": (lambda: jobs(JOB) + b": :\n" * MB, 1),
    "unknown keys": (lambda: jobs({**JOB, **{f"K{n}": n for n in range(200_000)}}), 1),
    "unknown value": (lambda: jobs({**JOB, "GpuModel": "x" * 5 * MB}), 1),
    "levels": (lambda: jobs({**JOB, "ServiceLevel": "{" + "a: 1, " * 500_000}, version="0.4"), 0),
    "groups": (lambda: jobs({**JOB, "FQAN": "/" * 5 * MB}), 0),
    "tep": (lambda: tep(*({**RECORD, "id": str(n)} for n in range(MOST_RECORDS))), MOST_RECORDS),
    "bad tep": (lambda: tep(*({"id": str(n)} for n in range(MOST_RECORDS))), 0),
    "quantities": (lambda: tep(quantities({"id": "NUM_REQ", "value": 1})), 1),
    "unknown quantities": (lambda: tep(quantities({"id": "X" * 20, "value": 1})), 1),
    "bad quantities": (lambda: tep(quantities({"id": "NUM_REQ"})), 0),
    "digits": (lambda: tep(RECORD).replace(b"1000}", b"9" * 4 * MB + b"}"), 0),
    "members": (lambda: b"{" + b",".join([b'"a":1'] * 500_000) + b"}", 0),
    "unknown members": (lambda: gpu({f"K{n}": n for n in range(200_000)}), 1),
    "elements": (lambda: b"[" + b"{}," * MB + b"{}]", None),
    "numbers": (lambda: b"[" + b"1," * 2 * MB + b"1]", None),
    "brackets": (lambda: b"[" * 5 * MB, None),
    "envelopes": (lambda: b'{"UsageRecords":' * 300_000, None),
    "quote": (lambda: b'{"' + b"x" * 5 * MB, None),
    "text in XML": (lambda: car(Site="<Site>" + "x" * 4 * MB + "</Site>"), 0),
    "elements of XML": (lambda: car(Odd="<Odd/>" * 190_000), 1),
    "too many elements of XML": (lambda: car(Odd="<Odd/>" * 210_000), None),
}


def numbered(count: int) -> bytes:
    return jobs(*({**JOB, "LocalJobId": str(n)} for n in range(count)))


def quantities(quantity: dict[str, object]) -> dict[str, object]:
    return {**RECORD, "quantity": [quantity] * 100_000}


def gpu(others: dict[str, int]) -> bytes:
    return envelope("APEL-accelerator-message", "0.1", GPU | others)


@pytest.mark.parametrize("name", MUCH)
def test_much_is_read_or_refused_in_time(name: str) -> None:
    make, records = MUCH[name]
    body = make()
    begun = time.process_time()
    try:
        got: int | None = len(parse(body, at=AT).records)
    except UsageRejected:
        got = None
    assert time.process_time() - begun < 10
    assert got == records


def test_remarks_on_one_message_have_an_end() -> None:
    got = parse(jobs(JOB, {**JOB, **{f"K{n}": n for n in range(999)}}) + b": :\n" * 999, at=AT)
    assert sum(warning.count for warning in got.warnings) == 999 + 1
    assert len(got.warnings) < 250
    assert [len(bad.faults) for bad in got.bad] == [101]


@pytest.mark.parametrize(
    ("kind", "record", "field"),
    [
        ("TEP-running-totals", {**TOTAL, "month": "9999-12"}, "month"),
        ("TEP-running-totals", {**TOTAL, "month": f"{AT.year + 1}-12"}, "month"),
        ("EGI-portal-summary", {**GROUP, "time": "9999-12-31T23:59:59Z"}, "time"),
        ("EGI-portal-summary", {**GROUP, "time": "253402300799000"}, "time"),
    ],
)
def test_a_month_that_has_not_begun_is_a_fault(kind: str, record: dict, field: str) -> None:
    message = read(envelope(kind, "1.0", record))
    assert message is not None
    assert [fault.field for bad in message.bad for fault in bad.faults] == [field]
