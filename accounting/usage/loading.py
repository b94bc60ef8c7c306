"""Records into the books: matched, stored as revisions of what is there, and settled.

Everything here happens in the transaction of the caller, a message being loaded whole or not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from accounting.cases import Case, lock_cases
from accounting.models import UsageMessage, UsageRecord
from accounting.settlement import settle
from accounting.usage import jobless, months
from accounting.usage import rows as usage_rows
from accounting.usage.matching import TEP, Match, Matcher, claim_of, of_others
from accounting.usage.rating import NO_PRICES
from accounting.usage.records import BadRecord, Record, Remark, Sender
from accounting.usage.rows import HELD_BACK, MATCHED, Origin, Row, new_row
from common.bulk import update_rows


@dataclass(slots=True)
class Loaded:
    """What became of records. `unchanged` were here already, the same; `conflicts` were refused."""

    matched: int = 0
    unchanged: int = 0
    conflicts: list[BadRecord] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


FOREIGN = "job"  # the field that a warning names about a job of another provider


class _Earlier(NamedTuple):
    """The newest revision of a record that came again."""

    pk: int
    revision: int
    bill_id: UUID | None
    usage_bill_id: int | None
    type: str
    fields: dict[str, Any]


_Known = Mapping[str, tuple[Record, Match]]


def load(
    message: UsageMessage, sender: Sender, sites: Mapping[str, int], records: Sequence[Record]
) -> Loaded:
    """Match, store and settle records; those that cannot be stored are among `conflicts`."""
    known = _match(sender, sites, records)
    providers = {match.provider_id for _record, match in known.values()}
    alone = any(r.counter_of or r.type in months.ECLIPSED_BY for r in records)
    jobless.reserve(providers, alone=alone)
    jobs = {match.job_id for _record, match in known.values()}
    earlier = _earlier(known)
    jobs |= {str(old.bill_id) for old in earlier.values() if old.bill_id is not None}
    bills = lock_cases(job_id for job_id in jobs if job_id is not None)
    loaded = Loaded(matched=sum(m.job_id is not None for _record, m in known.values()))
    loaded.remarks = _foreign(known)
    if earlier:
        earlier = _earlier(known)  # again: the bills are locked only now
    rows = _news(message, known, earlier, loaded)
    revised = {r.natural_key: earlier[r.natural_key] for r in rows if r.natural_key in earlier}
    # Only one row per key may be current: the old one makes room before the new one is there.
    _set_aside([old.pk for old in revised.values()])
    of_jobs = [row for row in rows if row.bill_id is not None]
    touched = {row.bill_id for row in of_jobs}
    settle([bill for bill in bills if bill.pk in touched], of_jobs)
    # After what takes its time: others who bring records of these sites wait from here on.
    months.count_jobs(row for row in rows if row.natural_key not in revised)
    of_none = [row for row in rows if row.bill_id is None]
    _settle_jobless(of_none, revised, allowed=sender.without_jobs)
    loaded.remarks += _unpriced(rows, known) + _twofold(bills, known)
    jobless.close([row.natural_key for row in rows if row.bill_id and row.natural_key in revised])
    jobless.recheck(months.places_of(rows))
    _link(revised)
    return loaded


def _match(
    sender: Sender, sites: Mapping[str, int], records: Sequence[Record]
) -> dict[str, tuple[Record, Match]]:
    """The records by their natural keys, with the job of each; a counter is no job's."""
    named = [
        (() if r.counter_of else (r.job, *r.other_names), _provider_of(r, sender, sites))
        for r in records
    ]
    matcher = Matcher(named)
    found = _held_back([(r, matcher.match(*name)) for r, name in zip(records, named, strict=True)])
    return {natural_key(record, match.provider_id): (record, match) for record, match in found}


def _held_back(found: list[tuple[Record, Match]]) -> list[tuple[Record, Match]]:
    """The same, without the jobs of others than the records name."""
    if not any(r.type == TEP for r, _match in found):
        return found
    claims = [None if r.free else claim_of(r.type, match, r.user) for r, match in found]
    others = of_others(set(filter(None, claims)))
    return [
        (r, others.get(claim, match) if claim else match)
        for (r, match), claim in zip(found, claims, strict=True)
    ]


def _provider_of(record: Record, sender: Sender, sites: Mapping[str, int]) -> int | None:
    return sender.provider_id if sender.provider_id is not None else sites.get(record.site)


def natural_key(record: Record, provider_id: int | None) -> str:
    """What a later record must share to be a revision of this one."""
    # No value of a record can have a line break.
    return "\n".join((str(provider_id or 0), record.type, *record.key))


def _earlier(keys: Iterable[str]) -> dict[str, _Earlier]:
    rows = UsageRecord.objects.filter(natural_key__among=list(keys), superseded_by__isnull=True)
    found = rows.values_list("natural_key", *_Earlier._fields)
    return {key: _Earlier(*values) for key, *values in found}


def _news(
    message: UsageMessage, known: _Known, earlier: Mapping[str, _Earlier], loaded: Loaded
) -> list[Row]:
    """Rows for what is new, or differs from the newest revision."""
    rows: list[Row] = []
    for key, (record, match) in known.items():
        old = earlier.get(key)
        if old is not None and old.fields == record.fields:
            loaded.unchanged += 1
        elif old is not None and record.type == TEP:
            loaded.conflicts.append(_conflict(record))
        else:
            origin = Origin(record, message.pk, old.revision + 1 if old is not None else 1)
            rows.append(_row(origin, key, match, old.bill_id if old is not None else None))
    return rows


def _row(origin: Origin, key: str, match: Match, bill_id: UUID | None) -> Row:
    row = new_row(origin.record, origin, key, match.provider_id)
    # A revision stays with the job of the record that it revises.
    row.bill_id = str(bill_id) if bill_id is not None else match.job_id
    if row.bill_id is not None and row.chargeable:
        row.state = MATCHED
    elif row.bill_id is None and match.held_back:
        row.state, row.note = HELD_BACK, match.held_back
    return row


def _conflict(record: Record) -> BadRecord:
    reason = _("A record with this identifier is here already, and says something else.")
    fault = Remark(record.line, "id", reason)
    return BadRecord(record.line, json.dumps(record.fields, ensure_ascii=False), (fault,))


def _foreign(known: _Known) -> list[Remark]:
    """A warning for records that name jobs of other providers than their sender."""
    found = [(record, match) for record, match in known.values() if match.foreign]
    if not found:
        return []
    record, match = found[0]
    return [Remark(record.line, FOREIGN, match.held_back, len(found))]


def _unpriced(rows: Sequence[Row], known: _Known) -> list[Remark]:
    """A warning for records that cost nothing only because there was no price list."""
    note = _(NO_PRICES)
    lines = [known[row.natural_key][0].line for row in rows if row.note == note]
    return [Remark(min(lines), "prices", note, len(lines))] if lines else []


def _twofold(bills: Sequence[Case], known: _Known) -> list[Remark]:
    """A warning for jobs whose usage was reported in more than one form: both count."""
    several = [bill for bill in bills if len(bill.rows) > 1]
    forms = {bill.pk: {row.type for row in bill.rows if row.chargeable} for bill in several}
    twofold = {pk for pk, types in forms.items() if len(types) > 1}
    lines = [record.line for record, match in known.values() if match.job_id in twofold]
    if not lines:
        return []
    reason = _("The usage of a job was reported in two forms, and each of them counts.")
    return [Remark(min(lines), "job", reason, len(lines))]


def _set_aside(pks: Sequence[int]) -> None:
    if pks:
        UsageRecord.objects.filter(pk__among=pks).update(superseded_by=F("pk"))


def _settle_jobless(rows: Sequence[Row], revised: Mapping[str, _Earlier], *, allowed: bool) -> None:
    payable = [row for row in rows if row.state != HELD_BACK]
    held_back = [row for row in rows if row.state == HELD_BACK]
    billed = {key for key, old in revised.items() if old.usage_bill_id is not None}
    # Somebody let what it revises through: what is less is given back, more needs the same again.
    if released := [row for row in held_back if row.natural_key in billed]:
        jobless.settle(released, allowed=False)
    usage_rows.save(row for row in held_back if row.natural_key not in billed)
    if payable:
        jobless.settle(payable, allowed=allowed)


def _link(revised: Mapping[str, _Earlier]) -> None:
    """Say on what was set aside which revision took its place."""
    if revised:
        newest = UsageRecord.objects.filter(natural_key__among=list(revised), superseded_by=None)
        pairs = [(revised[k].pk, pk) for k, pk in newest.values_list("natural_key", "pk")]
        update_rows(UsageRecord, ("id", "superseded_by_id"), pairs)
