"""Accelerators and public addresses: the records of APEL that come as JSON only.

An accelerator record says what was used in its month, not since a beginning. It is revised by one
of the same site, thing it belongs to, model and month; a count of addresses by one of the same
place, owner and time.
"""

from __future__ import annotations

from datetime import datetime
from json import dumps
from math import ceil
from typing import Any

from accounting.models import RecordType, Unit
from accounting.usage.forms import values as read
from accounting.usage.forms.entry import Entry, Form, key_of
from accounting.usage.forms.job import user_of
from accounting.usage.forms.summary import month_in
from accounting.usage.forms.values import AHEAD, NULLS
from accounting.usage.records import Record

GPU = Unit.GPU_HOUR.value
NO_PRICE = "Nothing is charged for public addresses."
_VERSIONS_OF_IP = ("4", "6")


def take(entry: Entry, record: dict[str, Any]) -> None:
    """Take the members of a flat object as text."""
    for key, value in record.items():
        if isinstance(value, bool | list | dict):
            if key in entry.form.keys:
                entry.fault(key, "must be a text or a number")
            text = dumps(value, ensure_ascii=False)
        else:
            text = "" if value is None else str(value).strip()
        if not read.plain(text):
            entry.fault(key, "has a control character")
        if text not in NULLS:
            entry.values[key] = text


def _read_accelerator(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    month = month_in(entry, at, _MONTH)
    seconds = entry.integer("AvailableDuration")
    if "ActiveDuration" in entry.values:
        available, seconds = seconds, entry.integer("ActiveDuration")
        if seconds > available:
            entry.warn("ActiveDuration", "implausible: more than AvailableDuration")
    count = entry.number("Count")
    entry.integer("Cores")
    kind = fields.get("Type", "")
    if kind and kind.lower() != "gpu":
        entry.warn("Type", "is no GPU: there is no rate for it")
    thing, about = fields.get("AssociatedRecord", ""), fields.get("AssociatedRecordType", "")
    of_machine = about.lower() == "cloud"
    site = fields.get("SiteName", "")
    return Record(
        type=RecordType.ACCELERATOR.value,
        line=entry.line,
        site=site,
        key=key_of(site, about, thing, kind, fields.get("Model", ""), month.isoformat()),
        fields=fields,
        ended=min(read.end_of(month), at),
        job="" if of_machine else thing,
        other_names=(thing,) if of_machine else (),
        user=user_of(fields),
        group=fields.get("VO", ""),
        month=month,
        quantities={GPU: ceil(count * 1000 * seconds)} if kind.lower() == "gpu" else {},
    )


def _read_addresses(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    measured = entry.time("MeasurementTime")
    if measured > at + AHEAD:
        entry.fault("MeasurementTime", "is more than two days in the future")
    entry.integer("IPCount")
    if entry.text("IPVersion") not in ("", *_VERSIONS_OF_IP):
        entry.fault("IPVersion", "must be 4 or 6")
    owner = [fields.get(key, "") for key in _OWNER]
    site = fields.get("SiteName", "")
    return Record(
        type=RecordType.PUBLIC_IP.value,
        line=entry.line,
        site=site,
        key=key_of(site, *owner, int(measured.timestamp())),
        fields=fields,
        ended=measured,
        user=fields.get("GlobalUserName") or fields.get("LocalUser", ""),
        group=fields.get("VO") or fields.get("LocalGroup", ""),
        month=read.month_of(measured),
        free=NO_PRICE,
    )


_MONTH = ("MeasurementMonth", "MeasurementYear")
_ACCELERATOR = (
    *(*_MONTH, "AssociatedRecordType", "AssociatedRecord", "FQAN", "SiteName", "Count"),
    *("AvailableDuration", "Type"),
)
ACCELERATOR = Form(
    "accelerator",
    _read_accelerator,
    _ACCELERATOR,
    frozenset(
        {
            *(*_ACCELERATOR, "GlobalUserName", "Cores", "ActiveDuration", "BenchmarkType"),
            *("Benchmark", "Model", "CloudType", "CloudComputeService"),
        }
    ),
)
_OWNER = (
    *("CloudComputeService", "CloudType", "LocalUser", "LocalGroup", "GlobalUserName", "FQAN"),
    "IPVersion",
)
_ADDRESSES = ("MeasurementTime", "SiteName", "CloudType")
PUBLIC_IP = Form(
    "public-ip",
    _read_addresses,
    _ADDRESSES,
    frozenset({*_ADDRESSES, *_OWNER, "IPCount"}),
    frozenset({"uuid"}),
)
