"""Jobs in XML: compute accounting records (CAR 1.2) and usage records of OGF 1.0 (GFD.98).

Both are brought to the fields of an APEL job, with durations and times of ISO 8601. OGF 1.0 knows
no site: the machine stands for it. `Charge`, what the provider asks, is kept and never used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import partial
from math import ceil
from typing import Any

from accounting.usage.forms import job
from accounting.usage.forms import values as read
from accounting.usage.forms.elements import Elements
from accounting.usage.forms.entry import Entry, Form
from accounting.usage.forms.values import BENCHMARKS, NEVER
from accounting.usage.records import Record
from common.xml import Element

# What a job's Status may be at its end; usage until then is not final, and not charged.
ENDED = frozenset(
    {"completed", "aborted", "failed", "cancelled", "canceled", "killed", "done", "finished"}
)
_KB = ("kb", "mb", "gb", "tb", "pb", "eb")
_BITS = ("Kb", "Mb", "Gb", "Tb", "Pb", "Eb")  # so spelt; in small letters all of it means bytes
KILOBYTES = {"b": Fraction(1, 1000)} | {unit: Fraction(1000**n) for n, unit in enumerate(_KB)}

_UTC = partial(read.instant, zoned=False)
_CPU_PARTS = ("CpuDuration user", "CpuDuration system")
KEYS = job.KEYS | {
    *("RecordId", "CreateTime", "GlobalJobId", "LocalGroup", "JobName", "Status", "ExitStatus"),
    *("Middleware", "MiddlewareVersion", "Host", "ProjectName", "Charge", "ChargeUnit"),
    *("ChargeFormula", "ProcessId", *_CPU_PARTS),
}


def take_car(record: Elements) -> Form:
    take(record, record.children(record.root))
    return CAR


def take_ogf(record: Elements) -> Form:
    take(record, record.children(record.root))
    without_site(record.values)
    # Here it may be any word that the parties agreed on.
    if record.values.get("ServiceLevelType", "").lower() not in BENCHMARKS:
        level = (record.values.pop(key, "") for key in ("ServiceLevelType", "ServiceLevel"))
        record.put("ServiceClass", record.root, " ".join(level))
    return OGF


def without_site(values: dict[str, str]) -> None:
    """Let the machine stand for a missing site, and the global job id for a missing local one."""
    for key, other in (("Site", "MachineName"), ("LocalJobId", "GlobalJobId")):
        if key not in values and other in values:
            values[key] = values[other]


def take(record: Elements, children: Iterable[tuple[str, Element]]) -> None:
    """Take the facts of a job from elements, in any order."""
    memory: dict[str, dict[str, Element]] = {}
    cpu: dict[str, Element] = {}
    for name, child in children:
        if name in _NESTED:
            _NESTED[name](record, child)
        elif name == "CpuDuration":
            cpu[record.attribute(child, "usageType").lower()] = child
        elif name == "Memory":
            kind = record.attribute(child, "type").lower()
            key = "MemoryReal" if kind in ("", "physical") else "MemoryVirtual"
            memory.setdefault(key, {})[record.attribute(child, "metric").lower()] = child
        elif name != "Host" or "Host" not in record.values:
            record.put(name, child)
    _take_cpu(record, cpu)
    for key, metrics in memory.items():
        _take_memory(record, key, metrics.get("max", next(iter(metrics.values()))))


def _take_cpu(record: Elements, durations: dict[str, Element]) -> None:
    """The time of all kinds if it is told; else the only one; else that of user and system."""
    total = durations.get("all", durations.get(""))
    if total is None and len(durations) == 1:
        (total,) = durations.values()
    if total is not None:
        record.put("CpuDuration", total)
        return
    for kind, element in durations.items():
        record.put(f"CpuDuration {kind}", element)


def _take_memory(record: Elements, key: str, element: Element) -> None:
    """In kilobytes (1,000 bytes), rounded up; what is no size stays as it is, to be refused."""
    record.put(key, element)
    size = read.number(record.values.get(key, ""))
    unit = record.attribute(element, "storageUnit") or "KB"
    kilobytes = KILOBYTES.get(unit.lower())
    if kilobytes is None:
        record.values[key] = f"{record.values.get(key, '')} {unit}"
    elif size is not None:
        record.values[key] = str(ceil(size * kilobytes / (8 if unit in _BITS else 1)))


def _take_identity(record: Elements, parent: Element) -> None:
    for name, child in record.children(parent):
        if name == "Group":
            record.put("VO", child)
        elif name == "GroupAttribute":
            take_attribute(record, child, "type")
        else:
            record.put(name, child)


def take_attribute(record: Elements, element: Element, name: str) -> None:
    """Take an attribute of the group; `name` of the XML attribute that says which one it is."""
    kind = record.attribute(element, name).lower()
    record.put(_ATTRIBUTES.get(kind, f"GroupAttribute {kind}".rstrip()), element)


def _take_children(record: Elements, parent: Element) -> None:
    for name, child in record.children(parent):
        record.put(name, child)


def _take_level(record: Elements, element: Element) -> None:
    record.put("ServiceLevel", element)
    record.put("ServiceLevelType", element, record.attribute(element, "type"))


def _take_charge(record: Elements, element: Element) -> None:
    record.put("Charge", element)
    record.put_attributes(element, {"unit": "ChargeUnit", "formula": "ChargeFormula"})


def _attributes(**keys: str) -> Callable[[Elements, Element], None]:
    return lambda record, element: record.put_attributes(element, keys)


_ATTRIBUTES = {
    "fqan": "FQAN",
    "vo-group": "VOGroup",
    "group": "VOGroup",
    "vo-role": "VORole",
    "role": "VORole",
}
_NESTED: dict[str, Callable[[Elements, Element], None]] = {
    "RecordIdentity": _attributes(recordId="RecordId", createTime="CreateTime"),
    "JobIdentity": _take_children,
    "UserIdentity": _take_identity,
    "Infrastructure": _attributes(
        type="InfrastructureType", description="InfrastructureDescription"
    ),
    "Middleware": _attributes(name="Middleware", version="MiddlewareVersion"),
    "ServiceLevel": _take_level,
    "Charge": _take_charge,
}


def read_job(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    status = entry.text("Status").lower()
    running = bool(status) and status not in ENDED
    span = entry.span("StartTime", "EndTime", at, convert=_UTC)
    if span[1] == NEVER and running:
        span = span[0], entry.time("CreateTime", _UTC)
    if span[1] == NEVER and "EndTime" not in entry.values:
        entry.fault("EndTime", "is missing")
    if not any(key in entry.values for key in ("CpuDuration", *_CPU_PARTS)):
        entry.fault("CpuDuration", "is missing")
    cpu = sum(entry.duration(key) for key in ("CpuDuration", *_CPU_PARTS))
    entry.integer("NodeCount")
    entry.integer("MemoryVirtual")
    used = (entry.duration("WallDuration"), cpu)
    record = job.job_record(entry, fields, span, used, job.level_with_type(entry))
    return replace(
        record,
        other_names=tuple(filter(None, (fields.get("GlobalJobId"), fields.get("RecordId")))),
        group=record.group or fields.get("LocalGroup", ""),
        free=f"The job had not ended: {status}." if running else "",
    )


_MANDATORY = ("Site", "LocalJobId", "WallDuration")
CAR = Form("car", read_job, _MANDATORY, KEYS)
OGF = Form("ogf-1.0", read_job, _MANDATORY[1:], KEYS | {"ServiceClass"})
