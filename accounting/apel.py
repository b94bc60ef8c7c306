"""APEL usage messages: bytes to records and back. Pure; the table of forms says what is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounting import apel_job
from accounting.apel_job import JobRecord
from accounting.apel_text import (
    MOST_RECORDS,
    SEPARATOR,
    Block,
    Findings,
    Header,
    Remark,
    UsageRejected,
    decode,
    read_blocks,
    read_header,
    reject,
    shown,
)

__all__ = ["JobRecord", "Message", "Remark", "UsageRejected", "parse", "write"]

JOB = "APEL-individual-job-message"
_JOB_VERSIONS = ("0.1", "0.2", "0.3", "0.4")

ReadRecord = Callable[[Block, str, datetime, Findings], JobRecord | None]
# Header → reader of one record. Another form is another row.
FORMS: dict[str, ReadRecord] = {JOB: apel_job.read}
NOT_TAKEN = {
    "APEL-summary-job-message": "summaries of jobs",
    "APEL-normalised-summary-message": "normalised summaries of jobs",
    "APEL-sync-message": "sync records",
    "APEL-cloud-message": "records of virtual machines",
    "APEL-cloud-summary-message": "summaries of virtual machines",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A message that can be taken: its header, its records, and what was odd about it."""

    header: Header
    records: tuple[JobRecord, ...]
    warnings: tuple[Remark, ...]


def parse(body: bytes, *, at: datetime) -> Message:
    """Read a message received at `at`; a record repeated in it counts once, by its last line.

    Raises UsageRejected, whose `faults` name every bad place: a message is taken whole or not.
    """
    lines = decode(body).split("\n")
    header = read_header(lines)
    read_record = _form(header)
    findings = Findings()
    if header.type == JOB and header.version not in _JOB_VERSIONS:
        findings.warn(header.line, "", f"version {header.version} is unknown; read as version 0.3")
    records: dict[tuple[str, str, datetime], JobRecord] = {}
    for number, block in enumerate(read_blocks(lines, header.line, findings), 1):
        if number > MOST_RECORDS:
            raise reject(block.line, f"a message may have at most {MOST_RECORDS} records")
        record = read_record(block, header.version, at, findings)
        if record is None:
            continue
        if records.pop(record.key, None) is not None:
            findings.warn(
                record.line,
                "LocalJobId",
                "the same record is in the message twice; the last counts",
            )
        records[record.key] = record
    if findings.faults:
        raise UsageRejected(sorted(findings.faults, key=lambda fault: fault.line))
    return Message(header, tuple(records.values()), findings.warnings)


def write(records: Iterable[Mapping[str, Any]], *, version: str = "0.3") -> bytes:
    """An individual-job message of these records (their own keys; None is left out).

    Times are given as aware datetimes or seconds since 1970; a mapping is written as a dictionary
    (ServiceLevel of v0.4). Raises ValueError for what the form cannot carry.
    """
    parts = [f"{JOB}: v{version}\n"]
    for record in records:
        for key, value in record.items():
            if key == "extra":
                parts.extend(_line(k, v) for k, v in value.items())
            elif value is not None:
                parts.append(_line(key, value))
        parts.append(f"{SEPARATOR}\n")
    return "".join(parts).encode()


def _form(header: Header) -> ReadRecord:
    form = FORMS.get(header.type)
    if form is None:
        what = NOT_TAKEN.get(header.type, "an unknown kind of message")
        reason = f"{shown(header.type)} ({what}) is not taken; only {', '.join(FORMS)} is"
        raise reject(header.line, reason)
    return form


def _line(key: str, value: object) -> str:
    if isinstance(value, datetime):
        value = int(value.timestamp())
    elif isinstance(value, Mapping):
        value = "{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}"
    line = f"{key}: {value}"
    if ":" in key or not key.strip() or "\n" in line or "\r" in line:
        raise ValueError(f"an APEL message cannot carry {key!r} with this value")
    return line + "\n"
