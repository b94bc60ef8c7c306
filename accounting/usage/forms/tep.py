"""TEP records: what a processing centre says that a job, or a user without a job, used.

A record is known by its id. It is never revised: another one with the same id and other content is
a fault. Several records may be of one job (its steps).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple

from accounting.models import RecordType, Unit
from accounting.usage.forms import values as read
from accounting.usage.forms.entry import Entry, Form, key_of
from accounting.usage.forms.job import CPU, WALL
from accounting.usage.forms.values import AHEAD, MOST
from accounting.usage.records import Record, shown


class Measure(NamedTuple):
    """The unit that is priced, and how many of its smallest units one of these is."""

    unit: str
    factor: Fraction = Fraction(1)


_MILLI = Fraction(1, 1000)
# Quantity id → measure; several may be of one unit, and add up.
MEASURES = {
    "CPU_MILLISECONDS": Measure(CPU, _MILLI),
    "VM_MILLISECONDS": Measure(WALL, _MILLI),
    "PHYSICAL_MEMORY_BYTES": Measure(Unit.MEMORY_GB.value),
    "BYTE_READ": Measure(Unit.READ_GB.value),
    "BYTE_WRITTEN": Measure(Unit.WRITTEN_GB.value),
    "NETWORK_IN": Measure(Unit.NET_GB.value),
    "NETWORK_OUT": Measure(Unit.NET_GB.value),
    "PROC_INSTANCE": Measure(Unit.INSTANCE.value),
    "PROC_VOLUME_BYTES": Measure(Unit.VOLUME_GB.value),
    "NUM_REQ": Measure(Unit.REQUEST.value),
}
NEVER_CHARGED = frozenset({"test", "quotation"})
CHARGED = frozenset({"nominal", "degraded", "succeeded", "failed"})
# Member → the same in other spellings.
_SPELLINGS = {
    "username": ("username", "userName"),
    "timestamp": ("timestamp", "timeStamp"),
    "hostname": ("hostname", "hostName"),
}


def no_object(text: str) -> str:
    """The reason why something that stands among records is none of them."""
    return f"is no record: a record is an object in braces, and here stands {shown(text)}"


def take(entry: Entry, record: dict[str, Any]) -> None:
    """Take the members that mean something here; the record is kept as it is."""
    entry.nested = record
    account = _object(entry, record, "account")
    compound = _object(entry, record, "compound")
    for key, holder in (
        ("id", record),
        ("status", record),
        ("platform", account),
        ("ref", account),
    ):
        _take_text(entry, key, holder.get(key))
    _take_text(entry, "compound.id", compound.get("id"))
    for key, spellings in _SPELLINGS.items():
        holder = account if key == "username" else record
        given = (holder[name] for name in spellings if holder.get(name) is not None)
        _take_text(entry, key, next(given, None))


def _object(entry: Entry, record: dict[str, Any], key: str) -> dict[str, Any]:
    value = record.get(key)
    if isinstance(value, dict):
        return value
    if value is not None:
        entry.fault(key, "is not an object")
    return {}


def _take_text(entry: Entry, key: str, value: Any) -> None:
    if isinstance(value, bool | list | dict):
        entry.fault(key, "must be a text")
        return
    text = "" if value is None else str(value).strip()
    if not read.plain(text):
        entry.fault(key, "has a control character")
    elif text:
        entry.values[key] = text


def _read(entry: Entry, _fields: dict[str, Any], at: datetime) -> Record:
    record: dict[str, Any] = entry.nested or {}
    ended = entry.time("timestamp", read.any_instant)
    if "timestamp" not in entry.values:
        entry.warn("timestamp", "is missing; the time of receipt stands for it")
        ended = at.replace(microsecond=0)
    elif ended > at + AHEAD:
        entry.fault("timestamp", "is more than two days in the future")
    status = entry.text("status").lower()
    if status and status not in CHARGED | NEVER_CHARGED:
        entry.warn("status", f"is not a known status: {shown(status)}")
    used = measured(_quantities(entry, record.get("quantity")))
    compound = entry.text("compound.id")
    return Record(
        type=RecordType.TEP.value,
        line=entry.line,
        site=entry.text("hostname"),
        key=key_of("id", entry.text("id")),
        fields=record,
        ended=ended,
        job=entry.text("ref"),
        other_names=(compound,) if compound else (),
        user=entry.text("username"),
        month=read.month_of(ended),
        wall_seconds=used.get(WALL),
        cpu_seconds=used.get(CPU),
        quantities=used,
        free=f"Its status is {shown(entry.text('status'))}." if status in NEVER_CHARGED else "",
    )


def measured(quantities: Mapping[str, Fraction | int]) -> dict[str, int]:
    """Whole smallest units per unit, begun ones rounded up, of exact numbers per quantity id."""
    totals: dict[str, Fraction] = defaultdict(Fraction)
    for name, value in quantities.items():
        if name in MEASURES:
            measure = MEASURES[name]
            totals[measure.unit] += value * measure.factor
    return {unit: ceil(total) for unit, total in totals.items()}


def _quantities(entry: Entry, listed: Any) -> dict[str, Fraction | int]:
    """Exact numbers per quantity id; those of the same id add up."""
    found: dict[str, Fraction | int] = defaultdict(int)
    if not isinstance(listed, list):
        entry.fault("quantity", "is missing" if listed is None else "is not a list")
        return found
    for number, item in enumerate(listed):
        place = f"quantity[{number}]"
        if not isinstance(item, dict):
            entry.fault(place, "is not an object")
            continue
        name, value = item.get("id"), _value(item.get("value"))
        if not isinstance(name, str) or not name.strip():
            entry.fault(f"{place}.id", "is missing")
        elif value is None:
            entry.fault(f"{place}.value", "must be a number from 0, as large as fits")
        else:
            found[name.strip()] += value
            if name.strip() not in MEASURES:
                entry.warn("quantity", f"{shown(name)}: no rate")
    return found


def _value(value: Any) -> Fraction | int | None:
    if isinstance(value, str):
        return read.number(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= MOST else None


_MANDATORY = ("id", "platform", "username")
_KEYS = frozenset({*_MANDATORY, "timestamp", "hostname", "ref", "status", "compound.id"})
TEP = Form("tep", _read, _MANDATORY, _KEYS, revisable=False)
