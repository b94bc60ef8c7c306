"""What every form of usage message is read into: records, and what is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from common.errors import InvalidInput

_SHOWN = 60


@dataclass(slots=True)
class Record:
    """One usage record, whatever form it came in. (Not frozen only as that takes its time.)

    `type` is a RecordType's value (hashing its member is slow). `key` is what a later record must
    share to be a revision of this one (site, local job id, end …; accounting/usage/forms says it
    per type), without provider and type. `job` is what may name a job of the portal, `other_names`
    further names of it (global job id). `quantities` is unit → whole smallest units
    (accounting.models.pricing.SMALLEST). With `counter_of` (a VMUUID) they are counters since that
    thing began, and only the difference to the record of an earlier month counts. `free` says why
    the record must never be charged ("" when it may be): a test, a quotation, a job that is still
    running. `fields` is the whole record, as JSON can carry it.
    """

    type: str
    line: int
    site: str
    key: tuple[str, ...]
    fields: dict[str, Any]
    ended: datetime
    started: datetime | None = None
    job: str = ""
    other_names: tuple[str, ...] = ()
    user: str = ""
    group: str = ""
    submit_host: str = ""
    month: date | None = None
    jobs: int | None = None
    wall_seconds: int | None = None
    cpu_seconds: int | None = None
    processors: int | None = None
    benchmark: str = "none"
    level_milli: int = 1000
    quantities: Mapping[str, int] = field(default_factory=dict)
    counter_of: str = ""
    free: str = ""


@dataclass(slots=True)
class Remark:
    """What is wrong or odd. `line` counts from 1; `count` is how often a warning occurred."""

    line: int
    field: str
    reason: str
    count: int = 1

    def __str__(self) -> str:
        place = f"line {self.line}, {self.field}" if self.field else f"line {self.line}"
        return f"{place}: {self.reason}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "field": self.field,
            "reason": self.reason,
            "count": self.count,
        }


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be taken: its first line, its text as it came, and every fault."""

    line: int
    text: str
    faults: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A message that could be read: its records, those that cannot be taken, and what was odd.

    `header` says what it is, as its sender wrote it; `form` is the portal's word for that. No two
    of `records` are revisions of each other, and no two of `bad` have the same line.
    """

    header: str
    form: str
    records: tuple[Record, ...]
    bad: tuple[BadRecord, ...]
    warnings: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a message, and what was agreed with them. `provider_id` None: not known.

    `keep_good`: load the good records of a message and quarantine the bad. `without_jobs`: may
    charge accounts for usage that no job of the portal caused.
    """

    provider_id: int | None = None
    keep_good: bool = False
    without_jobs: bool = False


class UsageRejected(InvalidInput):
    """A usage message that cannot be taken; nothing of it is. `faults` names every bad place."""

    code = "usage_rejected"

    def __init__(self, faults: Sequence[Remark]) -> None:
        self.faults = tuple(faults)
        others = len(self.faults) - 1
        more = f" (and {others} more)" if others else ""
        super().__init__(
            f"{self.faults[0]}{more}",
            locator=self.faults[0].field,
            faults=[f.as_dict() for f in self.faults],
        )


def reject(line: int, reason: str, name: str = "") -> UsageRejected:
    """The error for a message with one fault that leaves nothing more to look at."""
    return UsageRejected([Remark(line, name, reason)])


def shown(text: str) -> str:
    """Text from outside, short and plain enough to stand in a message to its sender."""
    plain = "".join(c if c.isprintable() else "?" for c in text[:_SHOWN])
    return plain if len(text) <= _SHOWN else f"{plain[:-1]}…"
