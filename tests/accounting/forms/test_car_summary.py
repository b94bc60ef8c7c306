"""Aggregated compute accounting records are what APEL says in a normalised summary."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounting.models import RecordType, Unit
from accounting.usage.forms import message_of, parse
from tests.accounting.forms.build import fields_at_fault, only, text, warned
from tests.accounting.forms.documents import record, xml

AGGREGATED = "http://eu-emi.eu/namespaces/2012/11/aggregatedcomputerecord"
FACTS = {
    "Site": "<Site>TEP-CENTRE-2</Site>",
    "Month": "<Month>2</Month>",
    "Year": "<Year>2026</Year>",
    "UserIdentity": "<UserIdentity><GlobalUserName>CN=Ada</GlobalUserName><Group>tep.urban</Group>"
    '<GroupAttribute n:type="vo-role">Role=prod</GroupAttribute></UserIdentity>',
    "SubmitHost": "<SubmitHost>ce.example.org</SubmitHost>",
    "Infrastructure": '<Infrastructure n:type="grid"/>',
    "EarliestEndTime": "<EarliestEndTime>2026-02-01T01:00:00+01:00</EarliestEndTime>",
    "LatestEndTime": "<LatestEndTime>2026-02-20T00:00:00</LatestEndTime>",
    "WallDuration": "<WallDuration>PT1000S</WallDuration>",
    "CpuDuration": "<CpuDuration>PT1H6M40S</CpuDuration>",
    "NormalisedWallDuration": "<NormalisedWallDuration>PT11500S</NormalisedWallDuration>",
    "NormalisedCpuDuration": "<NormalisedCpuDuration>PT46000S</NormalisedCpuDuration>",
    "NumberOfJobs": "<NumberOfJobs>7</NumberOfJobs>",
    "Processors": "<Processors>4</Processors>",
    "NodeCount": "<NodeCount>1</NodeCount>",
}


def summary(**changes: str | None) -> bytes:
    facts = {key: value for key, value in {**FACTS, **changes}.items() if value is not None}
    one = record(facts).replace("UsageRecord", "SummaryRecord")
    return xml("SummaryRecords", AGGREGATED, one)


def test_it_is_what_apel_would_have_sent() -> None:
    got = only(summary())
    apel = {
        "Site": "TEP-CENTRE-2",
        "Month": 2,
        "Year": 2026,
        "GlobalUserName": "CN=Ada",
        "VO": "tep.urban",
        "VORole": "Role=prod",
        "SubmitHost": "ce.example.org",
        "Infrastructure": "grid",
        "EarliestEndTime": int(datetime(2026, 2, 1, tzinfo=UTC).timestamp()),
        "LatestEndTime": int(datetime(2026, 2, 20, tzinfo=UTC).timestamp()),
        "WallDuration": 1000,
        "CpuDuration": 4000,
        "NormalisedWallDuration": 11500,
        "NormalisedCpuDuration": 46000,
        "NumberOfJobs": 7,
        "Processors": 4,
        "NodeCount": 1,
    }
    same = only(text("APEL-summary-job-message: v0.3", apel))
    assert got.type == same.type == RecordType.NORMALISED
    for fact in ("key", "site", "user", "group", "ended", "month", "jobs", "quantities"):
        assert getattr(got, fact) == getattr(same, fact), fact
    assert got.quantities[Unit.HS23_HOUR] == 46_000_000
    assert not warned(summary())


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"Site": None}, {"Site"}),
        ({"NormalisedCpuDuration": None}, {"NormalisedCpuDuration"}),
        ({"WallDuration": "<WallDuration>an hour</WallDuration>"}, {"WallDuration"}),
        ({"LatestEndTime": "<LatestEndTime>later</LatestEndTime>"}, {"LatestEndTime"}),
        (
            {"LatestEndTime": "<LatestEndTime>2026-03-01T01:00:00Z</LatestEndTime>"},
            {"LatestEndTime"},
        ),
        ({"Month": "<Month>13</Month>"}, {"Month"}),
        ({"NumberOfJobs": "<NumberOfJobs>-1</NumberOfJobs>"}, {"NumberOfJobs"}),
    ],
)
def test_what_it_must_hold(changes: dict[str, str | None], wrong: set[str]) -> None:
    assert fields_at_fault(summary(**changes)) == wrong


def test_a_bad_one_is_corrected_by_itself() -> None:
    bad = parse(summary(Month="<Month>13</Month>"), at=datetime(2026, 3, 1, tzinfo=UTC))
    [refused] = bad.bad
    corrected = message_of(bad.header, refused.text.replace(">13<", ">2<"))
    assert only(corrected).key == only(summary()).key
