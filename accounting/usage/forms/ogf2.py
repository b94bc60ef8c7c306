"""Usage records of OGF 2.0 (GFD.204): blocks, brought to the fields of jobs, machines or storage.

Which blocks a record has says what it is about; sizes are bytes. Durations of a virtual machine
count since it began, as in APEL cloud messages, which were made after this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Any

from accounting.usage.forms import cloud, compute, storage
from accounting.usage.forms import values as read
from accounting.usage.forms.elements import Elements
from accounting.usage.forms.entry import Entry, Form
from accounting.usage.records import Record
from common.xml import Element

_GB = 10**9
_NET = ("NetworkInboundUsed", "NetworkOutboundUsed")
_JOB = {
    "GlobalUserId": "GlobalUserName",
    "GlobalGroup": "VO",
    "GlobalGroupId": "VO",
    "GlobalGroupName": "VO",
    "LocalGroupId": "LocalGroup",
}
_MACHINE = {
    **_JOB,
    "Site": "SiteName",
    "CreateTime": "RecordCreateTime",
    "LocalGroupId": "LocalGroupId",
    "LocalVirtualMachineId": "VMUUID",
    "GlobalVirtualMachineId": "VMUUID",
    "Processors": "CpuCount",
}
_STORAGE = {
    "GlobalUserName": "UserIdentity",
    "GlobalUserId": "UserIdentity",
    "LocalUserId": "LocalUser",
    "GlobalGroup": "Group",
    "GlobalGroupId": "Group",
    "GlobalGroupName": "Group",
    "LocalGroupId": "LocalGroup",
    "StorageResourceCapacityUsed": "ResourceCapacityUsed",
    "StorageLogicalCapacityUsed": "LogicalCapacityUsed",
    "StorageResourceCapacityAllocated": "ResourceCapacityAllocated",
}


def take(record: Elements) -> Form:
    blocks = {name for name, _block in record.children(record.root)}
    if "StorageUsageBlock" in blocks:
        return _take_storage(record)
    if "CloudUsageBlock" in blocks:
        return _take_machine(record)
    compute.take(record, _facts(record, _JOB))
    compute.without_site(record.values)
    size = read.number(record.values.pop("MemoryResourceCapacityUsed", ""))
    if size is not None:
        record.values["MemoryReal"] = str(ceil(size / 1000))
    return JOB


def _facts(record: Elements, names: Mapping[str, str]) -> Iterator[tuple[str, Element]]:
    """The elements of all blocks but the attributes of groups, by the names of another form."""
    for _name, block in record.children(record.root):
        for name, child in record.children(block):
            if name == "GlobalGroupAttribute":
                compute.take_attribute(record, child, "attributeType")
            else:
                yield names.get(name, name), child


def _take_storage(record: Elements) -> Form:
    for name, child in _facts(record, _STORAGE):
        record.put(name, child)
    for key in ("Host", "Site", "StorageShare"):
        record.values.setdefault("StorageSystem", record.values.get(key, ""))
    return STORAGE


def _take_machine(record: Elements) -> Form:
    compute.take(record, _facts(record, _MACHINE))
    values = record.values
    for key in ("WallDuration", "CpuDuration", "SuspendDuration"):
        seconds = read.duration(values.get(key, ""))
        if seconds is not None:
            values[key] = str(seconds)
    for key, name in zip(_NET, ("NetworkInbound", "NetworkOutbound"), strict=True):
        size = read.whole(values.pop(key, ""))
        if size is not None:
            values[name] = f"{size // _GB}.{size % _GB:09d}"
    return MACHINE


def _read_job(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    record = compute.read_job(entry, fields, at)
    moved = sum(entry.integer(key) for key in _NET)
    return replace(record, quantities={**record.quantities, cloud.NET: moved})


JOB = replace(compute.OGF, name="ogf-2.0", read=_read_job, keys=compute.KEYS | {*_NET})
MACHINE = replace(cloud.V04, keys=cloud.V04.keys | compute.KEYS)
STORAGE = replace(storage.STAR, keys=storage.KEYS | {"Host"})
