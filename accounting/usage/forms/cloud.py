"""Virtual machines: APEL cloud messages and their monthly summaries.

Durations and transfer count since the machine began. A record revises the one of the same machine
and month (of its measurement); a summary that of the same site, service, month, who, and kind of
machine. Memory and disk are no counters, so nothing is charged for them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any

from accounting.models import RecordType, Unit
from accounting.usage.forms import values as read
from accounting.usage.forms.entry import Entry, Form, key_of
from accounting.usage.forms.job import CORES, CPU, HS23, WALL, hs23, user_of
from accounting.usage.forms.summary import month_in
from accounting.usage.forms.values import AHEAD, BENCHMARKS, MOST, MOST_INTEGER, NEVER
from accounting.usage.records import Record

NET = Unit.NET_GB.value
_GB = 10**9
_MEASURED = (
    *("WallDuration", "CpuDuration", "CpuCount", "NetworkInbound", "NetworkOutbound", "Memory"),
    *("Disk", "ImageId", "CloudType", "Status", "GlobalUserName", "FQAN"),
)
_V02 = frozenset(
    {
        *("VMUUID", "SiteName", "MachineName", "LocalUserId", "LocalGroupId", "RecordCreateTime"),
        *("StartTime", "EndTime", "SuspendDuration", "NetworkType", "StorageRecordId", *_MEASURED),
        *("VO", "VOGroup", "VORole"),
    }
)
_V04 = _V02 | {"CloudComputeService", "BenchmarkType", "Benchmark", "PublicIPCount"}
_IGNORED = frozenset({"UpdateTime", "MeasurementTime", "MeasurementMonth", "MeasurementYear"})


def _read_machine(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    # 0 is how producers write "not ended yet".
    if entry.text("EndTime") == "0":
        del entry.values["EndTime"]
    started, ended = entry.span("StartTime", "EndTime", at)
    measured = _measured_at(entry, started, ended, at)
    for key in ("Memory", "Disk", "PublicIPCount"):
        entry.integer(key)
    machine, month = fields.get("VMUUID", ""), read.month_of(measured)
    record = Record(
        type=RecordType.CLOUD.value,
        line=entry.line,
        site=fields.get("SiteName", ""),
        key=key_of(machine, month.isoformat()),
        fields=fields,
        ended=measured,
        started=None if started == NEVER else started,
        other_names=(machine,),
        user=user_of(fields),
        group=fields.get("VO") or fields.get("LocalGroupId", ""),
        month=month,
        counter_of=machine,
    )
    return _with_use(entry, record)


def _measured_at(entry: Entry, started: datetime, ended: datetime, at: datetime) -> datetime:
    """The end of a completed machine; else when it was recorded, or how long it had run by then."""
    recorded, suspended = entry.time("RecordCreateTime"), entry.integer("SuspendDuration")
    key, moment = "EndTime", ended
    if entry.text("Status").lower() != "completed":
        key, moment = "RecordCreateTime", recorded
        if key not in entry.values and started != NEVER:
            run = suspended + (read.whole(entry.text("WallDuration")) or 0)
            key, moment = "WallDuration", started + timedelta(seconds=min(run, MOST // 10**6))
    if key not in entry.values:
        entry.fault(key, "is missing, so that nobody knows when this was measured")
    elif moment > at + AHEAD and key != "EndTime":
        entry.fault(key, "leads to a time more than two days in the future")
    elif NEVER != started > moment:
        entry.fault("StartTime", "is later than the time of the measurement")
    return moment


def _with_use(entry: Entry, record: Record) -> Record:
    """The record with what the machine used; the number of its processors may be a fraction."""
    wall, cpu = entry.integer("WallDuration"), entry.integer("CpuDuration")
    cores = entry.number("CpuCount")
    if cores > MOST_INTEGER:
        entry.fault("CpuCount", "is no number of processors")
        cores = Fraction(0)
    level = _level(entry)
    net = entry.number("NetworkInbound") + entry.number("NetworkOutbound")
    return replace(
        record,
        wall_seconds=wall,
        cpu_seconds=cpu,
        processors=ceil(cores) or None,
        benchmark=level[0],
        level_milli=level[1],
        quantities={
            CPU: cpu,
            WALL: wall,
            CORES: ceil(wall * (cores or 1)),
            HS23: hs23(cpu, level),
            NET: ceil(net * _GB),
        },
    )


def _level(entry: Entry) -> tuple[str, int]:
    """Benchmark and level per core; 0 is how producers write that there is none."""
    name, level = entry.text("BenchmarkType").lower(), entry.number("Benchmark")
    if not name or not level:
        return "none", 1000
    milli = read.level(entry.text("Benchmark"))
    if milli is None:
        entry.fault("Benchmark", "is no level of a benchmark")
        return "none", 1000
    if name not in BENCHMARKS:
        entry.warn("BenchmarkType", "is not a known benchmark")
        name = "custom"
    return name, milli


def _read_summary(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    month, site = month_in(entry, at), fields.get("SiteName", "")
    entry.span("EarliestStartTime", "LatestStartTime", at)
    entry.integer("NumberOfVMs")
    entry.integer("Memory")
    entry.integer("Disk")
    names = [fields.get(key, "") for key in _SUMMARY_KEY]
    machine = [entry.number(key) for key in ("CpuCount", "Benchmark")]
    record = Record(
        type=RecordType.CLOUD_SUMMARY.value,
        line=entry.line,
        site=site,
        key=key_of(site, month.isoformat(), *names, *machine),
        fields=fields,
        ended=min(read.end_of(month), at),
        user=user_of(fields),
        group=fields.get("VO", ""),
        month=month,
    )
    return _with_use(entry, record)


_SUMMARY_KEY = (
    *("CloudComputeService", "GlobalUserName", "VO", "VOGroup", "VORole", "Status", "ImageId"),
    "BenchmarkType",
)
_SUMMARY_MANDATORY = ("SiteName", "Month", "Year", "NumberOfVMs")
V02 = Form("apel-cloud", _read_machine, ("VMUUID", "SiteName"), _V02, _IGNORED)
V04 = replace(V02, keys=_V04)
SUMMARY = Form(
    "apel-cloud-summary",
    _read_summary,
    _SUMMARY_MANDATORY,
    frozenset(
        {
            *(*_SUMMARY_MANDATORY, *_SUMMARY_KEY, *_MEASURED, "Benchmark"),
            *("EarliestStartTime", "LatestStartTime"),
        }
    ),
    _IGNORED,
)
