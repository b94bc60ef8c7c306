"""Jobs written as APEL messages are read as they were."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounting.usage.apel import write
from accounting.usage.forms import parse
from accounting.usage.forms.values import MOST
from tests.accounting.forms.build import AT, only

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
        assert (record.site, record.job) == (wrote["Site"], wrote["LocalJobId"])
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
