"""Monthly summaries of jobs, normalised or not, and the counts of sync messages.

A summary is revised by one with the same site, month, who, where, and kind of machine; a count by
one of the same site, submit host and month. A count never charges anything.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from functools import partial
from math import ceil
from typing import Any

from accounting.models import RecordType
from accounting.usage.forms import values as read
from accounting.usage.forms.entry import Entry, Form, key_of
from accounting.usage.forms.job import (
    HS23,
    benchmark_of,
    level_dictionary,
    level_with_type,
    quantities,
    user_of,
)
from accounting.usage.forms.values import MOST_INTEGER, NEVER
from accounting.usage.records import Record, shown

_WHO = ("GlobalUserName", "VO", "VORole", "VOGroup", "SubmitHost")
_COUNTS = ("WallDuration", "CpuDuration", "NumberOfJobs")
_MONTH = ("Site", "Month", "Year")
_COMMON = {
    *(*_MONTH, *_COUNTS, *_WHO, "NodeCount", "Processors", "EarliestEndTime", "LatestEndTime"),
    "InfrastructureDescription",
}
_NORMALISED = ("NormalisedWallDuration", "NormalisedCpuDuration")
_DECEMBER = 12
NO_MONTH = read.month_of(NEVER)
NO_RECORD_OF_USE = "It only says how many jobs there were."


def month_in(entry: Entry, at: datetime, keys: tuple[str, str] = ("Month", "Year")) -> date:
    """The first day of the month told by two keys; NO_MONTH, with a fault, when there is none."""
    if not entry.values.keys() >= set(keys):
        return NO_MONTH
    known = len(entry.faults)
    number, year = (entry.integer(key) for key in keys)
    if len(entry.faults) > known:
        return NO_MONTH
    if not 1 <= number <= _DECEMBER:
        entry.fault(keys[0], "must be a number from 1 to 12")
    elif not NO_MONTH.year < year <= at.year:
        entry.fault(keys[1], f"must be a year from {NO_MONTH.year + 1} to {at.year}")
    elif (month := date(year, number, 1)) > read.month_of(at):
        entry.fault(keys[0], "is in the future")
    else:
        return month
    return NO_MONTH


def _ended(entry: Entry, month: date, at: datetime) -> datetime:
    """The last end of a job, which must lie in the month; else the end of the month."""
    earliest, latest = entry.time("EarliestEndTime"), entry.time("LatestEndTime")
    first, after = read.start_of(month), read.end_of(month)
    for key, moment in (("EarliestEndTime", earliest), ("LatestEndTime", latest)):
        if month != NO_MONTH and moment != NEVER and not first <= moment <= after:
            entry.fault(key, "is not in the month of the summary")
    if NEVER not in (earliest, latest) and latest < earliest:
        entry.fault("LatestEndTime", "is before EarliestEndTime")
    return latest if latest != NEVER else min(after, at)


def _summary(
    entry: Entry,
    fields: dict[str, Any],
    at: datetime,
    level: tuple[str, int],
    infrastructure: str = "InfrastructureType",
) -> Record:
    month = month_in(entry, at)
    wall, cpu = entry.integer("WallDuration"), entry.integer("CpuDuration")
    processors = entry.integer("Processors", MOST_INTEGER) or None
    where = [fields.get(key, "") for key in (*_WHO, infrastructure)]
    machine = (level[0], level[1], entry.integer("NodeCount"), processors or 0)
    site = fields.get("Site", "")
    return Record(
        type=RecordType.SUMMARY.value,
        line=entry.line,
        site=site,
        key=key_of(site, month.isoformat(), *where, *machine),
        fields=fields,
        ended=_ended(entry, month, at),
        user=user_of(fields),
        group=fields.get("VO", ""),
        submit_host=fields.get("SubmitHost", ""),
        month=month,
        jobs=entry.integer("NumberOfJobs"),
        wall_seconds=wall,
        cpu_seconds=cpu,
        processors=processors,
        benchmark=level[0],
        level_milli=level[1],
        quantities=quantities((wall, cpu), processors, level),
    )


def _read_flat(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    return _summary(entry, fields, at, level_with_type(entry))


def _read_dictionary(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    return _summary(entry, fields, at, level_dictionary(entry))


def _read_normalised(
    entry: Entry, fields: dict[str, Any], at: datetime, dictionaries: bool
) -> Record:
    """Durations come multiplied by the benchmark; the kind of benchmark is part of the key."""
    benchmark, cpu = _normalised(entry) if dictionaries else ("none", _plain(entry))
    record = _summary(entry, fields, at, (benchmark, 1000), "Infrastructure")
    measured = {**record.quantities, HS23: cpu * 1000}
    return replace(record, type=RecordType.NORMALISED.value, quantities=measured)


def _plain(entry: Entry) -> int:
    entry.integer("NormalisedWallDuration")
    return entry.integer("NormalisedCpuDuration")


def _normalised(entry: Entry) -> tuple[str, int]:
    """The benchmark of both dictionaries, and the CPU time in it."""
    wall, cpu = (benchmark_of(entry, key) for key in _NORMALISED)
    if wall is None or cpu is None:
        return "none", 0
    if wall[0] != cpu[0]:
        entry.fault("NormalisedCpuDuration", f"is in {cpu[0]}, the wall duration in {wall[0]}")
    numbers = []
    for key, (_name, text) in zip(_NORMALISED, (wall, cpu), strict=True):
        number = read.number(text)
        if number is None:
            entry.fault(key, f"must hold numbers from 0, not {shown(text)!r}")
        numbers.append(ceil(number or 0))
    return cpu[0], numbers[1]


def _read_sync(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    month = month_in(entry, at)
    site, host = fields.get("Site", ""), fields.get("SubmitHost", "")
    return Record(
        type=RecordType.SYNC.value,
        line=entry.line,
        site=site,
        key=key_of(site, host, month.isoformat()),
        fields=fields,
        ended=min(read.end_of(month), at),
        submit_host=host,
        month=month,
        jobs=entry.integer("NumberOfJobs"),
        free=NO_RECORD_OF_USE,
    )


_MANDATORY = (*_MONTH, *_COUNTS)
_LEVEL = {"InfrastructureType", "ServiceLevel"}
_IGNORED = frozenset({"UpdateTime"})
FLAT = Form(
    "apel-summary",
    _read_flat,
    _MANDATORY,
    frozenset({*_COMMON, *_LEVEL, "ServiceLevelType"}),
    _IGNORED,
)
DICTIONARY = replace(FLAT, read=_read_dictionary, keys=frozenset(_COMMON | _LEVEL))
NORMALISED = Form(
    "apel-normalised",
    partial(_read_normalised, dictionaries=False),
    (*_MANDATORY, *_NORMALISED),
    frozenset({*_COMMON, *_NORMALISED, "Infrastructure"}),
    _IGNORED,
)
NORMALISED_DICTIONARY = replace(NORMALISED, read=partial(_read_normalised, dictionaries=True))
SYNC = Form(
    "apel-sync",
    _read_sync,
    (*_MONTH, "NumberOfJobs"),
    frozenset({*_MONTH, "NumberOfJobs", "SubmitHost"}),
    _IGNORED,
)
