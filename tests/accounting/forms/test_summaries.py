"""Monthly summaries, normalised or not, and counts of sync messages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from accounting.models import Unit
from accounting.usage.forms import parse
from tests.accounting.forms.build import AT, fields_at_fault, only, refused, text, warned, without

SUMMARY: dict[str, Any] = {
    "Site": "TEP-CENTRE-2",
    "Month": 2,
    "Year": 2026,
    "WallDuration": 1000,
    "CpuDuration": 4000,
    "NumberOfJobs": 7,
    "Processors": 4,
}
NORMALISED = {**SUMMARY, "NormalisedWallDuration": 11500, "NormalisedCpuDuration": 46000}
V02, V03, V04 = (f"APEL-summary-job-message: v{v}" for v in ("0.2", "0.3", "0.4"))
NORMALISED_V04 = "APEL-normalised-summary-message: v0.4"
SYNC = "APEL-sync-message: v0.1"


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "header",
    [
        "APEL-summary-job-message: v0.1",
        "APEL-summary-job-message: v0.5",
        "APEL-normalised-summary-message: v0.3",
        "APEL-sync-message: v0.2",
        "APEL-cloud-message: v0.3",
        "APEL-cloud-summary-message: v0.2",
    ],
)
def test_versions_that_are_not_taken(header: str) -> None:
    assert refused(text(header, SUMMARY)) == [(1, "")]


def test_summary_v03_is_normalised() -> None:
    record = only(text(V03, NORMALISED))
    assert (record.type, record.benchmark) == ("normalised", "none")
    assert record.quantities[Unit.HS23_HOUR] == 46000 * 1000
    assert fields_at_fault(text(V03, SUMMARY)) == {
        "NormalisedWallDuration",
        "NormalisedCpuDuration",
    }


def test_a_level_in_a_dictionary() -> None:
    record = only(text(V04, {**SUMMARY, "ServiceLevel": {"si2k": 2500, "HEPscore23": "10.5"}}))
    assert (record.benchmark, record.level_milli) == ("hepscore23", 10500)
    assert fields_at_fault(text(V04, {**SUMMARY, "ServiceLevel": 10})) == {"ServiceLevel"}


def test_normalised_durations_must_be_of_one_benchmark() -> None:
    def record(wall: dict[str, object], cpu: dict[str, object]) -> dict[str, Any]:
        durations = {"NormalisedWallDuration": wall, "NormalisedCpuDuration": cpu}
        return {**SUMMARY, **durations}

    got = only(text(NORMALISED_V04, record({"si2k": 1, "HEPSPEC": 5}, {"hepspec": "7.2"})))
    assert (got.benchmark, got.quantities[Unit.HS23_HOUR]) == ("hepspec", 8000)
    for wall, cpu in (
        ({"hepspec": 1}, {"hepscore23": 1}),
        ({"hepspec": 1}, {"hepspec": -1}),
        ({"hepspec": 1}, {"other": 1}),
        ({"hepspec": 1}, {"hepspec": "x"}),
    ):
        assert fields_at_fault(text(NORMALISED_V04, record(wall, cpu))) == {"NormalisedCpuDuration"}
    assert fields_at_fault(text(NORMALISED_V04, NORMALISED)) == {
        "NormalisedWallDuration",
        "NormalisedCpuDuration",
    }


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"Month": 3, "Year": 2026}, set()),  # the present one
        ({"Month": 4, "Year": 2026}, {"Month"}),
        ({"Month": 1, "Year": 2027}, {"Year"}),
        ({"Month": 13}, {"Month"}),
        ({"Month": 0}, {"Month"}),
        ({"Month": "February"}, {"Month"}),
        ({"Year": 10**15}, {"Year"}),
        ({"Year": 0}, {"Year"}),
        ({"NumberOfJobs": None}, {"NumberOfJobs"}),
        ({"CpuDuration": -1}, {"CpuDuration"}),
        ({"Site": None, "Month": 13}, {"Site", "Month"}),
        ({"EarliestEndTime": seconds(2026, 2, 1), "LatestEndTime": seconds(2026, 3, 1)}, set()),
        ({"LatestEndTime": seconds(2026, 3, 1, 0, 0, 1)}, {"LatestEndTime"}),
        ({"EarliestEndTime": seconds(2026, 1, 31, 23, 59, 59)}, {"EarliestEndTime"}),
        (
            {"EarliestEndTime": seconds(2026, 2, 9), "LatestEndTime": seconds(2026, 2, 8)},
            {"LatestEndTime"},
        ),
        ({"ServiceLevel": 1}, {"ServiceLevel"}),
    ],
)
def test_what_a_summary_must_hold(fields: dict[str, Any], wrong: set[str]) -> None:
    got = parse(text(V02, {**SUMMARY, **fields}), at=AT)
    assert {fault.field for bad in got.bad for fault in bad.faults} == wrong
    assert len(got.records) == (not wrong)


@pytest.mark.parametrize(
    "key", ["VOGroup", "SubmitHost", "ServiceLevel", "NodeCount", "Processors"]
)
def test_what_else_makes_another_summary(key: str) -> None:
    one = {**SUMMARY, "ServiceLevelType": "HEPSPEC", "ServiceLevel": 9}
    two = {**one, key: 3}
    assert len(parse(text(V02, one, two), at=AT).records) == 2
    revised = parse(text(V02, one, {**one, "CpuDuration": 1, "NumberOfJobs": 1}), at=AT)
    assert [record.cpu_seconds for record in revised.records] == [1]


def test_sync_needs_no_durations() -> None:
    record = only(text(SYNC, without(SUMMARY, "WallDuration", "CpuDuration", "Processors")))
    assert (record.month, record.jobs, record.wall_seconds) == (date(2026, 2, 1), 7, None)
    assert fields_at_fault(text(SYNC, {"Site": "A"})) == {"NumberOfJobs", "Month", "Year"}
    assert warned(text(SYNC, SUMMARY)) == ["WallDuration", "CpuDuration", "Processors"]
