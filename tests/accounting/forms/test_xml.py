"""CAR records: namespaces, durations, states, sizes; and documents that are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounting.models import Unit
from accounting.usage.forms import message_of, parse
from tests.accounting.forms.build import AT, faults, fields_at_fault, only, refused, warned
from tests.accounting.forms.documents import CAR, DAY, JOB, STAR, car, record, xml

# --- CAR -------------------------------------------------------------------------------------


def test_every_spelling_of_the_same_record() -> None:
    plain = only(car())
    prefixed = car().replace(b"<", b"<urf:").replace(b"<urf:/", b"</urf:")
    prefixed = prefixed.replace(b"xmlns=", b"xmlns:urf=")
    alone = record(JOB).replace("<UsageRecord>", f'<UsageRecord xmlns="{CAR}">').encode()
    declared = b'<?xml version="1.0" encoding="iso-8859-1"?>' + car(Site="<Site>\xdcber</Site>")
    assert only(prefixed) == plain
    assert only(alone).key == only(b"\n\n" + alone).key == plain.key
    assert only(declared.decode().encode("iso-8859-1")).site == "Über"
    wide = declared.decode().replace("iso-8859-1", "utf-16")
    for order in ("utf-16-le", "utf-16-be"):
        assert only(f"\ufeff{wide}".encode(order)).site == "Über"
    assert (plain.job, plain.wall_seconds, plain.cpu_seconds) == ("4711", 3600, 7200)


@pytest.mark.parametrize(
    ("durations", "seconds"),
    [
        ("<CpuDuration>PT0.5S</CpuDuration>", 1),
        ("<CpuDuration>PT0,4999S</CpuDuration>", 0),
        ("<CpuDuration>P1Y1M1W1DT1H1M1S</CpuDuration>", 31_536_000 + 2_628_000 + 8 * DAY + 3661),
        ('<CpuDuration n:usageType="user">PT7S</CpuDuration>', 7),
        (
            '<CpuDuration n:usageType="user">PT7S</CpuDuration>'
            '<CpuDuration n:usageType="system">PT2S</CpuDuration>',
            9,
        ),
        (
            '<CpuDuration usageType="all">PT8S</CpuDuration>'
            '<CpuDuration usageType="user">PT7S</CpuDuration>',
            8,
        ),
        ("<CpuDuration> \n PT3S\n</CpuDuration>", 3),
    ],
)
def test_cpu_time(durations: str, seconds: int) -> None:
    assert only(car(CpuDuration=durations)).cpu_seconds == seconds


@pytest.mark.parametrize(
    "duration", ["", "P", "PT", "P1", "1H", "-PT1S", "PT1H1H", "PT1.5H", "P1DT", "PT1e3S", "PT٣S"]
)
def test_durations_that_are_none(duration: str) -> None:
    assert fields_at_fault(car(WallDuration=f"<WallDuration>{duration}</WallDuration>")) == {
        "WallDuration"
    }


@pytest.mark.parametrize(
    ("status", "free"),
    [("Completed", False), ("aborted", False), ("failed", False), ("started", True), ("x", True)],
)
def test_only_a_job_at_its_end_is_charged(status: str, free: bool) -> None:
    assert bool(only(car(Status=f"<Status>{status}</Status>")).free) is free


def test_a_running_job_has_no_end_yet() -> None:
    identity = '<RecordIdentity n:recordId="x" n:createTime="2026-02-02T09:30:00Z"/>'
    running = car(Status="<Status>started</Status>", EndTime=identity)
    assert only(running).ended == datetime(2026, 2, 2, 9, 30, tzinfo=UTC)
    assert fields_at_fault(car(EndTime=identity)) == {"EndTime"}


@pytest.mark.parametrize(
    ("memory", "kilobytes"),
    [
        ('<Memory n:type="Physical" n:storageUnit="MB">2</Memory>', 2000),
        ('<Memory storageUnit="B">1001</Memory>', 2),
        ('<Memory storageUnit="Kb">80</Memory>', 10),  # bits
        ('<Memory storageUnit="kb">80</Memory>', 80),
        ("<Memory>5</Memory>", 5),
        (
            '<Memory n:type="Physical" n:metric="average">3</Memory>'
            '<Memory n:type="Physical" n:metric="max" n:storageUnit="gb">4</Memory>',
            4_000_000,
        ),
        ('<Memory n:type="Shared">9</Memory>', 0),
    ],
)
def test_memory_in_its_units(memory: str, kilobytes: int) -> None:
    assert only(car(Memory=memory)).quantities.get(Unit.MEM_GB_HOUR, 0) == kilobytes * 3600


@pytest.mark.parametrize("memory", ['<Memory storageUnit="qubit">1</Memory>', "<Memory>x</Memory>"])
def test_memory_that_is_no_size(memory: str) -> None:
    assert fields_at_fault(car(Memory=memory)) == {"MemoryReal"}


@pytest.mark.parametrize("kind", ["vo-group", "group", "FQAN"])
def test_groups(kind: str) -> None:
    user = (
        f'<UserIdentity><Group>tep.urban</Group><GroupAttribute n:type="{kind}">/tep.urban/maps'
        '</GroupAttribute><GroupAttribute type="authority">x</GroupAttribute></UserIdentity>'
    )
    got = only(car(UserIdentity=user))
    assert (got.group, got.fields["VOGroup"]) == ("tep.urban", "/tep.urban/maps")
    assert got.fields["extra"] == {"GroupAttribute authority": "x"}


def test_faults_of_xml_are_told_at_their_lines() -> None:
    body = car(Site="", StartTime="<StartTime>now</StartTime>", Queue=f"<Queue>{'q' * 256}</Queue>")
    places = faults(body)
    assert [field for _line, field in places] == ["Site", "StartTime", "Queue"]
    lines = body.decode().split("\n")
    assert [lines[line - 1].partition(">")[0] for line, _field in places] == [
        "<UsageRecord",
        "<StartTime",
        "<Queue",
    ]


def test_a_bad_record_can_be_corrected_and_sent_again() -> None:
    got = parse(xml("UsageRecords", CAR, record(JOB), record(JOB, Site="")), at=AT)
    (bad,) = got.bad
    corrected = bad.text.replace("</UsageRecord>", JOB["Site"] + "</UsageRecord>")
    assert only(message_of(got.header, corrected)).key == got.records[0].key


def test_what_is_not_of_the_form_is_left_out_with_a_warning() -> None:
    extension = '<x:SubmitTime xmlns:x="http://example.org/x">1</x:SubmitTime>'
    body = xml("UsageRecords", CAR, record(JOB, x=extension, Odd="<Odd>1</Odd>"), "<Other/>")
    assert only(body).fields["extra"] == {"Odd": "1"}
    assert warned(body) == ["Other", "Odd"]


def test_records_that_begin_on_one_line_are_told_by_their_number() -> None:
    body = xml("UsageRecords", CAR, record(JOB, Site=""), record(JOB, Site="")).replace(b"\n", b"")
    assert faults(body) == [(1, "Site"), (2, "Site")]


# --- documents -------------------------------------------------------------------------------

BOMB = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><UsageRecords>&c;</UsageRecords>'


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<UsageRecords/>",
        b'<UsageRecords xmlns="http://example.org/other"/>',
        BOMB,
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        car().replace(b"</UsageRecords>", b""),
        car(Site="<Site>\x01</Site>"),
        xml("UsageRecords", CAR, "<a>" * 100 + "</a>" * 100),
        xml("Other", CAR, "<Other/>"),
        xml("AnythingElse", STAR, record(JOB)),
        b"<?xml version='1.0' encoding='no-such'?><UsageRecords/>",
        "<UsageRecords/>".encode("utf-16"),
    ],
)
def test_documents_that_are_refused(body: bytes) -> None:
    assert refused(body)


def test_an_empty_document_of_a_known_form_has_no_records() -> None:
    assert parse(xml("UsageRecords", CAR), at=AT).records == ()
