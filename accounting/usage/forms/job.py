"""Individual jobs: the fields of APEL messages v0.1 to v0.4, to which the XML forms are brought.

A record revises an earlier one of the same site, local job id and end.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from accounting.models import RecordType, Unit
from accounting.usage.forms import values as read
from accounting.usage.forms.entry import Entry, Form, key_of
from accounting.usage.forms.values import BENCHMARKS, MOST_INTEGER, SI2K_PER_HEPSPEC
from accounting.usage.records import Record, shown

MANDATORY = ("Site", "LocalJobId", "WallDuration", "CpuDuration", "StartTime", "EndTime")
KEYS = frozenset(MANDATORY) | {
    *("SubmitHost", "MachineName", "Queue", "LocalUserId", "GlobalUserName", "FQAN", "VO"),
    *("VOGroup", "VORole", "Processors", "NodeCount", "InfrastructureDescription"),
    *("InfrastructureType", "MemoryReal", "MemoryVirtual", "ServiceLevelType", "ServiceLevel"),
}
IGNORED = frozenset({"SubmitHostType", "UpdateTime"})

# Plain text: hashing a member of an enumeration is slow, and every record has these.
CPU = Unit.CPU_CORE_HOUR.value
WALL = Unit.WALL_HOUR.value
CORES = Unit.WALL_CORE_HOUR.value
HS23 = Unit.HS23_HOUR.value
MEMORY = Unit.MEM_GB_HOUR.value
JOB = RecordType.JOB.value

_DICTIONARY = re.compile(r"\{(.*)\}")


def read_flat(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    """v0.1 to v0.3: ServiceLevel is a number, ServiceLevelType its benchmark."""
    return _read(entry, fields, at, level_with_type(entry))


def read_dictionary(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    """v0.4: ServiceLevel is a dictionary."""
    return _read(entry, fields, at, level_dictionary(entry))


def _read(entry: Entry, fields: dict[str, Any], at: datetime, level: tuple[str, int]) -> Record:
    started, ended = entry.span("StartTime", "EndTime", at)
    entry.integer("NodeCount")
    entry.integer("MemoryVirtual")
    return job_record(
        entry,
        fields,
        (started, ended),
        (entry.integer("WallDuration"), entry.integer("CpuDuration")),
        level,
    )


def job_record(
    entry: Entry,
    fields: dict[str, Any],
    span: tuple[datetime, datetime],
    used: tuple[int, int],
    level: tuple[str, int],
) -> Record:
    """The record of a job; `used` are wall and CPU seconds, `level` benchmark and thousandths."""
    wall, cpu = used
    processors = entry.integer("Processors", MOST_INTEGER) or None
    # Nothing is said of numbers that could not be read.
    if processors and cpu * 100 > wall * processors * 105 and not entry.faults:
        reason = "implausible: more CPU time than WallDuration times Processors"
        entry.warn("CpuDuration", reason)
    site, job = fields.get("Site", ""), fields.get("LocalJobId", "")
    return Record(
        type=JOB,
        line=entry.line,
        site=site,
        key=key_of(site, job, int(span[1].timestamp())),
        fields=fields,
        ended=span[1],
        started=span[0],
        job=job,
        user=user_of(fields),
        group=fields.get("VO", ""),
        submit_host=fields.get("SubmitHost", ""),
        month=read.month_of(span[1]),
        wall_seconds=wall,
        cpu_seconds=cpu,
        processors=processors,
        benchmark=level[0],
        level_milli=level[1],
        quantities=quantities(used, processors, level, entry.integer("MemoryReal")),
    )


def quantities(
    used: tuple[int, int], processors: int | None, level: tuple[str, int], memory: int = 0
) -> dict[str, int]:
    """What running used, in smallest units: `used` wall and CPU seconds, `memory` kilobytes.

    An unknown number of processors counts as one.
    """
    wall, cpu = used
    found = {CPU: cpu, WALL: wall, CORES: wall * (processors or 1), HS23: hs23(cpu, level)}
    if memory:
        found[MEMORY] = memory * wall
    return found


def hs23(cpu: int, level: tuple[str, int]) -> int:
    """Normalised CPU time: thousandths of HEPscore23 × seconds, rounded up.

    By CPU time, as that is what a core was busy; by level 1 when the benchmark is not known.
    """
    benchmark, milli = level
    if benchmark == "si2k":
        return -(-cpu * milli // SI2K_PER_HEPSPEC)
    return cpu * (milli if benchmark in BENCHMARKS else 1000)


def user_of(fields: dict[str, Any]) -> str:
    """Who used it: the global name, unless it is hidden, or the local one."""
    name = fields.get("GlobalUserName", "")
    if not name or name.lower() == "withheld":
        return str(fields.get("LocalUserId", ""))
    return str(name)


def level_with_type(entry: Entry) -> tuple[str, int]:
    """Benchmark and level, both or neither; neither is level 1."""
    name, value = entry.text("ServiceLevelType"), entry.text("ServiceLevel")
    if not name and not value:
        return "none", 1000
    if not name or not value:
        given, absent = ("ServiceLevelType", "ServiceLevel")[:: 1 if name else -1]
        entry.fault(given, f"needs {absent} beside it")
        return "none", 1000
    name = name.lower()
    if name in BENCHMARKS:
        return name, _level(entry, value)
    entry.warn("ServiceLevelType", "is not a known benchmark")
    return "custom", _level(entry, value)


def level_dictionary(entry: Entry) -> tuple[str, int]:
    """Benchmark and level of a dictionary; without one level 1."""
    best = benchmark_of(entry, "ServiceLevel")
    return (best[0], _level(entry, best[1])) if best else ("none", 1000)


def benchmark_of(entry: Entry, key: str) -> tuple[str, str] | None:
    """The best known benchmark of a dictionary `{name: number, …}`, names in any case."""
    value = entry.text(key)
    if not value:
        return None
    match = _DICTIONARY.fullmatch(value)
    if match is None:
        entry.fault(key, "must be a dictionary as in {hepscore23: 14.7}")
        return None
    found: dict[str, str] = {}
    for part in match[1].split(","):
        name, colon, number = (p.strip().lower() for p in part.partition(":"))
        if not name or not colon or name in found:
            entry.fault(key, f"cannot be read at {shown(part.strip())!r}")
            return None
        found[name] = number
    best = next((b for b in BENCHMARKS if b in found), None)
    if best is None:
        entry.fault(key, f"has none of {', '.join(BENCHMARKS)}")
        return None
    return best, found[best]


def _level(entry: Entry, value: str) -> int:
    milli = read.level(value)
    if milli is None:
        entry.fault("ServiceLevel", f"must be a number above 0, not {shown(value)!r}")
        return 1000
    return milli


FLAT = Form("apel-job", read_flat, MANDATORY, KEYS, IGNORED)
DICTIONARY = replace(FLAT, read=read_dictionary, keys=KEYS - {"ServiceLevelType"})
