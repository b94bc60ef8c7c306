"""A record being read: its values as text under the keys of its form, and what is wrong with them.

Text, XML and JSON are brought to this shape first, so that each kind of record is read by one
reader and judged by one set of rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Protocol

from accounting.usage.forms import values as read
from accounting.usage.forms.values import AHEAD, LONGEST, MOST, NEVER
from accounting.usage.records import Record, Remark, reject, shown

VO_KEYS = {"VO", "VOGroup", "VORole"}
MOST_RECORDS = 20_000
# A report is for people, and kept: nobody reads thousands of remarks on one record.
MOST_FAULTS = 100
MOST_WARNINGS = 200
_MOST_KEY = 600  # bytes; with provider and type in front it has to fit an index


@dataclass(slots=True)
class Warnings:
    """What is odd in one message; the same oddity again is only counted."""

    _known: dict[tuple[str, str], Remark] = field(default_factory=dict)
    _others: int = 0

    def add(self, line: int, name: str, reason: str) -> None:
        if not self.count(name, reason):
            self._known[shown(name), reason] = Remark(line, shown(name), reason)

    def count(self, name: str, reason: str) -> bool:
        """Count a warning that needs no line: it is known, or there are too many to tell all."""
        known = self._known.get((shown(name), reason))
        if known is not None:
            known.count += 1
        elif len(self._known) >= MOST_WARNINGS:
            self._others += 1
        return known is not None or len(self._known) >= MOST_WARNINGS

    def all(self) -> tuple[Remark, ...]:
        found = tuple(self._known.values())
        return (*found, Remark(1, "", "other warnings", self._others)) if self._others else found


class Origin(Protocol):
    """Where a record stands in its message; asked only when there is something to say about it."""

    def line_of(self, key: str) -> int:
        """The line of a key, or the first line of the record."""

    def text(self) -> str:
        """The record as it came."""


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of record: its keys, those it must have, those without meaning, and its reader.

    A record that differs only in `ignored` keys is the same record. One that is not `revisable` may
    come again, but not with other content.
    """

    name: str
    read: Callable[[Entry, dict[str, Any], datetime], Record]
    mandatory: tuple[str, ...]
    keys: frozenset[str]
    ignored: frozenset[str] = frozenset()
    revisable: bool = True


@dataclass(slots=True)
class Entry:
    """One record of a form; `values` has no nulls, `nested` is a record of more than pairs.

    The reading methods return a harmless value and write a fault down when they cannot read: who
    reads goes on, so that all faults are found, and whoever asked drops what has any.
    """

    form: Form
    line: int
    values: dict[str, str]
    origin: Origin
    warnings: Warnings
    faults: list[Remark] = field(default_factory=list)
    nested: Any = None

    def fault(self, key: str, reason: str, line: int = 0) -> None:
        """Write down what is wrong with a key, or with a line."""
        if len(self.faults) < MOST_FAULTS:
            where = line or self.origin.line_of(key)
            self.faults.append(Remark(where, shown(key), reason))
        elif len(self.faults) == MOST_FAULTS:
            self.faults.append(Remark(self.line, "", "has more faults than these"))

    def warn(self, key: str, reason: str) -> None:
        if not self.warnings.count(key, reason):
            self.warnings.add(self.origin.line_of(key), key, reason)

    def record(self, at: datetime) -> Record | None:
        """The record, or None when it has faults."""
        record = self.form.read(self, self._fields(), at)
        return None if self.faults else record

    def _fields(self) -> dict[str, Any]:
        """The record by the keys of its form, the others under "extra"; FQAN decides the groups.

        Faults: a mandatory key is missing, a value is too long. Warns of each unknown key.
        """
        form, values = self.form, self.values
        for key in form.mandatory:
            if key not in values:
                self.fault(key, "is missing")
        if max(map(len, values.values()), default=0) > LONGEST:
            self._check_lengths()
        fields = values if values.keys() <= form.keys else self._with_extra()
        if 0 < len(values.get("FQAN", "")) <= LONGEST:
            groups = read.groups_of(values["FQAN"])
            fields = {**fields, **groups}
            if len(groups) < len(VO_KEYS):
                for key in VO_KEYS - groups.keys():
                    fields.pop(key, None)
        return fields

    def _with_extra(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        extra: dict[str, str] = {}
        for key, value in self.values.items():
            if key in self.form.keys:
                fields[key] = value
            elif key not in self.form.ignored:
                self.warn(key, "is not a field of this form; it is only kept")
                extra[key] = value
        return {**fields, "extra": extra} if extra else fields

    def _check_lengths(self) -> None:
        for key, value in self.values.items():
            if len(value) > LONGEST and key in self.form.keys:
                self.fault(key, f"is longer than {LONGEST} characters")

    def text(self, key: str) -> str:
        """The value, or "" when there is none."""
        return self.values.get(key, "")

    def integer(self, key: str, most: int = MOST) -> int:
        """The number; 0 when there is none."""
        value = self.values.get(key)
        if value is None:
            return 0
        number = read.whole(value, most)
        if number is None:
            self.fault(key, f"must be a whole number from 0 to {most}, not {shown(value)!r}")
            return 0
        return number

    def number(self, key: str) -> Fraction:
        """The exact number; 0 when there is none."""
        value = self.values.get(key)
        if value is None:
            return Fraction(0)
        number = read.number(value)
        if number is None:
            self.fault(key, f"must be a number from 0 to {MOST}, not {shown(value)!r}")
            return Fraction(0)
        return number

    def duration(self, key: str) -> int:
        """Seconds of an ISO 8601 duration; 0 when there is none."""
        value = self.values.get(key)
        if value is None:
            return 0
        seconds = read.duration(value)
        if seconds is None:
            self.fault(key, f"must be a duration as in PT1H30M, not {shown(value)!r}")
            return 0
        return seconds

    def time(self, key: str, convert: Callable[[str], datetime | None] = read.instant) -> datetime:
        """The instant in UTC, to the second; NEVER when there is none."""
        value = self.values.get(key)
        if value is None:
            return NEVER
        moment = convert(value)
        if moment is None:
            self.fault(key, f"must be seconds since 1970 or an ISO time, not {shown(value)!r}")
            return NEVER
        if moment <= NEVER:
            self.fault(key, "is not a time at which anything can have run")
            return NEVER
        return moment

    def span(self, start: str, end: str, at: datetime, **how: Any) -> tuple[datetime, datetime]:
        """Two instants: the second not before the first, nor later than two days after `at`."""
        started, ended = self.time(start, **how), self.time(end, **how)
        if ended > at + AHEAD:
            self.fault(end, "is more than two days in the future")
        if NEVER not in (started, ended) and ended < started:
            self.fault(end, f"is before {start}")
        return started, ended


@dataclass(frozen=True, slots=True)
class Document:
    """A message that could be opened: what it says it is, what that is, and its records."""

    header: str
    form: str
    entries: Iterator[Entry]


def key_of(*parts: object) -> tuple[str, ...]:
    """The key of a record, short enough for an index: a digest stands for one that is not."""
    key = tuple(map(str, parts))
    length = sum(map(len, key))
    if length * 4 > _MOST_KEY and sum(len(part.encode()) for part in key) > _MOST_KEY:
        return ("sha256", hashlib.sha256("\n".join(key).encode()).hexdigest())
    return key


def check_count(records: int) -> None:
    """Raises UsageRejected for more records than a message may have."""
    if records > MOST_RECORDS:
        raise reject(1, f"a message may have at most {MOST_RECORDS} records")


def distinct(lines: Sequence[int]) -> Sequence[int]:
    """The lines on which records begin, or their numbers where some begin on the same line.

    A message may be one single line: then only its number tells a record from the others.
    """
    return lines if len(set(lines)) == len(lines) else range(1, len(lines) + 1)
