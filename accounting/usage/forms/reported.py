"""What reporting interfaces answer: running totals of jobs, daily and monthly summaries.

The portal asks for them itself (accounting/sources) and writes each answer as a JSON message. A
later answer revises: a total the one of the same job, quantity and month; a daily summary that of
the same day and machine; a monthly summary of a group that of the same month and place.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from accounting.models import RecordType
from accounting.usage.forms import cloud, tep
from accounting.usage.forms import values as read
from accounting.usage.forms.entry import Entry, Form, key_of
from accounting.usage.forms.job import CPU, WALL
from accounting.usage.forms.values import AHEAD, NEVER
from accounting.usage.records import Record, shown

NAMES_NO_USER = "It names no user: it is only compared with what was charged."
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_DAYS = 31


def _read_total(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    month = _not_ahead(entry, "month", _month(entry), at)
    ref, quantity = fields.get("ref", ""), fields.get("quantity", "")
    used = tep.measured({quantity: entry.number("value")})
    if quantity not in tep.MEASURES:
        entry.warn("quantity", f"{shown(quantity)}: no rate")
    return Record(
        type=RecordType.TOTAL.value,
        line=entry.line,
        site=fields.get("site", ""),
        key=key_of(ref, quantity, month.isoformat()),
        fields=fields,
        ended=min(read.end_of(month), at),
        job=ref,
        user=fields.get("username", ""),
        month=month,
        wall_seconds=used.get(WALL),
        cpu_seconds=used.get(CPU),
        quantities=used,
    )


def _month(entry: Entry) -> date:
    found = _MONTH.fullmatch(entry.text("month"))
    if found is None or int(found[1]) < NEVER.year:
        entry.fault("month", "must be a month as in 2026-01")
        return read.month_of(NEVER)
    return date(int(found[1]), int(found[2]), 1)


def _not_ahead(entry: Entry, key: str, month: date, at: datetime) -> date:
    """The month; a fault, and another month, when it has not begun yet."""
    if month <= read.month_of(at + AHEAD):
        return month
    entry.fault(key, "is more than two days in the future")
    return read.month_of(NEVER)


def _read_day(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    record = cloud.SUMMARY.read(entry, fields, at)
    day = entry.integer("Day", _DAYS)
    others = (fields.get("CloudType", ""), fields.get("Memory", ""), fields.get("Disk", ""))
    return replace(record, key=key_of(*record.key, *others, f"day {day}"))


def _read_group(entry: Entry, fields: dict[str, Any], at: datetime) -> Record:
    month = read.month_of(entry.time("time", read.any_instant))
    month = _not_ahead(entry, "time", month, at)
    where = [fields.get(key, "") for key in _WHERE]
    return Record(
        type=RecordType.NORMALISED.value,
        line=entry.line,
        site=fields.get("site", ""),
        key=key_of(month.isoformat(), *where),
        fields=fields,
        ended=min(read.end_of(month), at),
        group=fields.get("vo", ""),
        month=month,
        jobs=int(entry.number("number_of_jobs")),
        free=NAMES_NO_USER,
    )


_TOTAL = ("ref", "quantity", "value", "month")
_WHERE = ("site", "vo", "ce", "infrastructure", "benchmark", "ngi", "country", "federation", "tier")
_DAILY = ("Year", "Month", "Day", "WallDuration")
# What else stands in a row has no meaning here, and may change without being a correction.
TOTAL = Form("running-total", _read_total, _TOTAL, frozenset({*_TOTAL, "username", "site"}))
DAY = replace(
    cloud.SUMMARY,
    name="cloud-daily-summary",
    read=_read_day,
    mandatory=_DAILY,
    keys=cloud.SUMMARY.keys | {*_DAILY},
)
GROUP = Form(
    "group-summary",
    _read_group,
    ("time", "site", "vo", "number_of_jobs"),
    frozenset(
        {
            *("time", "number_of_jobs", *_WHERE),
            *("raw_cpu_time", "raw_cpu_work", "raw_wc_time", "raw_wc_work"),
        }
    ),
    frozenset({"raw_cpu_eff"}),
)
