"""Messages to read, and what a test looks at in what was read."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Any

import pytest

from accounting.usage.apel import write
from accounting.usage.forms import parse
from accounting.usage.records import Record, UsageRejected

AT = datetime(2026, 3, 1, tzinfo=UTC)
JOB: dict[str, Any] = {
    "Site": "TEP-CENTRE-1",
    "LocalJobId": "7d5c1f0e-3b0e-4b63-9d02-9f6f0f6f7a11",
    "WallDuration": 5400,
    "CpuDuration": 19800,
    "Processors": 4,
    "StartTime": 1767225600,
    "EndTime": 1767231000,
}
# Lines of a record in a message of its own: the header is line 1.
LINE = {key: number for number, key in enumerate(JOB, 2)}

Place = tuple[int, str]


def jobs(*records: dict[str, Any], version: str = "0.3") -> bytes:
    return write(records, version=version)


def text(header: str, *records: dict[str, Any]) -> bytes:
    return jobs(*records).replace(b"APEL-individual-job-message: v0.3", header.encode())


def envelope(kind: str, version: str, *records: object) -> bytes:
    return dumps({"Type": kind, "Version": version, "UsageRecords": records}).encode()


def only(body: bytes, at: datetime = AT) -> Record:
    message = parse(body, at=at)
    assert not message.bad, message.bad
    (record,) = message.records
    return record


def faults(body: bytes, at: datetime = AT) -> list[Place]:
    """Line and field of all faults of the records of a message that has no good one."""
    message = parse(body, at=at)
    assert not message.records
    assert all(fault.reason for bad in message.bad for fault in bad.faults)
    return [(fault.line, fault.field) for bad in message.bad for fault in bad.faults]


def fields_at_fault(body: bytes, at: datetime = AT) -> set[str]:
    return {field for _line, field in faults(body, at)}


def refused(body: bytes, at: datetime = AT) -> list[Place]:
    """Where a message as a whole is wrong."""
    with pytest.raises(UsageRejected) as caught:
        parse(body, at=at)
    assert all(fault.reason for fault in caught.value.faults)
    return [(fault.line, fault.field) for fault in caught.value.faults]


def warned(body: bytes, at: datetime = AT) -> list[str]:
    return [warning.field for warning in parse(body, at=at).warnings]


SHARED = Path(os.environ.get("TEP_SHARED", Path(__file__).parents[4] / "shared")) / "schemas"


def sample(name: str) -> bytes:
    file = SHARED / name
    if not file.exists():
        pytest.skip("shared schemas are absent")
    return file.read_bytes()


def without(record: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}
