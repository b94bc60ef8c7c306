"""Taking in usage messages: stored once, matched to jobs, priced, charged; whole or not at all.

A record changes no balance by itself. It is stored with its job, and the job's bill is settled
from all records that the job has: twice the same record, or records in another order, come to the
same charge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F

from accounting import apel
from accounting.matching import Match, Matcher, chunks
from accounting.models import MessageState, RecordState, UsageMessage, UsageRecord
from accounting.settlement import lock_bills, settle
from common.clock import now
from common.errors import TooLarge

MOST_BYTES = 5 * 1024 * 1024
_TRIES = 3


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a message. `duplicate`: it had been taken before, now nothing happened.

    `errors` and `warnings` are {line, field, reason, count}. A REJECTED message left no record.
    """

    sha256: str
    state: str
    records: int
    matched: int
    warnings: Sequence[dict[str, Any]]
    errors: Sequence[dict[str, Any]]
    duplicate: bool


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A message as it came in, and whose jobs it may name."""

    body: bytes
    source: str
    signer: str
    provider_id: int | None
    received_at: datetime
    sites: Mapping[str, int]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def provider_of(self, record: apel.JobRecord) -> int | None:
        return self.provider_id if self.provider_id is not None else self.sites.get(record.site)


def import_message(
    body: bytes,
    *,
    source: str,
    signer: str = "",
    provider_id: int | None,
    received_at: datetime | None = None,
    sites: Mapping[str, int] | None = None,
) -> ImportReport:
    """Take a usage message in and settle the jobs that it tells about.

    `provider_id` is the provider that sent it: it may only name its own jobs. When it is not known
    (an operator's upload), `sites` maps a record's Site to a provider, and a record that names a
    job by the portal's identifier belongs to that job's provider.
    A message with any bad record is REJECTED whole, and stored with all that is wrong with it.
    Raises TooLarge above 5 MB; then nothing is stored.
    """
    if len(body) > MOST_BYTES:
        raise TooLarge(limit=MOST_BYTES)
    delivery = _Delivery(body, source, signer[:255], provider_id, received_at or now(), sites or {})
    taken = _read(delivery)
    for attempt in range(1, _TRIES + 1):
        try:
            if isinstance(taken, apel.UsageRejected):
                return _store_rejected(delivery, taken)
            return _load(delivery, taken)
        except IntegrityError:
            # Another worker stored the same message or record at this moment: look at it anew.
            if attempt == _TRIES:
                raise
    raise AssertionError  # the loop returns or raises


def _read(delivery: _Delivery) -> apel.Message | apel.UsageRejected:
    try:
        return apel.parse(delivery.body, at=delivery.received_at)
    except apel.UsageRejected as refusal:
        return refusal


@transaction.atomic
def _load(delivery: _Delivery, message: apel.Message) -> ImportReport:
    stored, news = _open_message(delivery, message)
    if not news:
        matched = stored.records.filter(bill__isnull=False).count()
        return _report(stored, matched=matched, duplicate=True)
    matches = _match(delivery, message.records)
    keys = {_natural_key(r, m.provider_id): (r, m) for r, m in matches}
    involved = {m.job_id for _r, m in matches} | {e.bill_id for e in _current(keys).values()}
    bills = lock_bills(job_id for job_id in involved if job_id is not None)
    changed = _store_records(stored, keys)
    settle([bill for bill in bills if bill.pk in changed])
    matched = sum(match.job_id is not None for _record, match in matches)
    return _report(stored, matched=matched, duplicate=False)


def _open_message(delivery: _Delivery, message: apel.Message) -> tuple[UsageMessage, bool]:
    """The row of the message, locked, and whether its records are to be loaded.

    They are when it is new, was rejected before (and is fine by now), or came first without and
    now with its provider: then what it could not be matched to before is set aside.
    """
    stored = UsageMessage.objects.select_for_update(no_key=True).filter(pk=delivery.sha256).first()
    if stored is None:
        stored = UsageMessage(sha256=delivery.sha256)
    elif stored.state != MessageState.REJECTED:
        homeless = stored.records.filter(provider_id=None, bill=None, superseded_by=None)
        if delivery.provider_id is None or not homeless.update(superseded_by=F("pk")):
            return stored, False
    _describe(stored, delivery)
    stored.state = MessageState.LOADED
    stored.header = str(message.header)[:80]
    stored.records_count = len(message.records)
    stored.warnings = [w.as_dict() for w in message.warnings]
    stored.errors = []
    stored.save(force_insert=stored._state.adding)
    return stored, True


def _match(
    delivery: _Delivery, records: Sequence[apel.JobRecord]
) -> list[tuple[apel.JobRecord, Match]]:
    named = [(r.local_job_id, delivery.provider_of(r)) for r in records]
    matcher = Matcher(named)
    return [(r, matcher.match(*name)) for r, name in zip(records, named, strict=True)]


def _natural_key(record: apel.JobRecord, provider_id: int | None) -> str:
    # No value of a record can have a line break.
    parts = (provider_id or 0, record.site, record.local_job_id, int(record.ended.timestamp()))
    return "\n".join(map(str, parts))


def _current(keys: Mapping[str, Any]) -> dict[str, UsageRecord]:
    found: dict[str, UsageRecord] = {}
    for some in chunks(list(keys)):
        rows = UsageRecord.objects.filter(natural_key__in=some, superseded_by__isnull=True)
        found.update((row.natural_key, row) for row in rows)
    return found


def _store_records(
    message: UsageMessage, keys: Mapping[str, tuple[apel.JobRecord, Match]]
) -> set[UUID]:
    """Store what is new or differs from the newest revision; the bills that this concerns."""
    current = _current(keys)  # read again: the bills are locked only now
    revised: dict[str, UsageRecord] = {}
    new: list[UsageRecord] = []
    for key, (record, match) in keys.items():
        earlier = current.get(key)
        if earlier is not None and earlier.fields == record.fields:
            continue
        if earlier is not None:
            revised[key] = earlier
        new.append(_row(message, key, record, match, earlier))
    # Only one row per key may be current: the old one makes room before the new one is there.
    for some in chunks([row.pk for row in revised.values()]):
        UsageRecord.objects.filter(pk__in=some).update(superseded_by=F("pk"))
    for row in UsageRecord.objects.bulk_create(new):
        if row.natural_key in revised:
            revised[row.natural_key].superseded_by = row
    UsageRecord.objects.bulk_update(revised.values(), ("superseded_by",), 200)
    return {row.bill_id for row in new if row.bill_id is not None}


def _row(
    message: UsageMessage,
    key: str,
    record: apel.JobRecord,
    match: Match,
    earlier: UsageRecord | None,
) -> UsageRecord:
    # A revision stays with the job of the record that it revises.
    job_id = earlier.bill_id if earlier is not None and earlier.bill_id else match.job_id
    state = RecordState.MATCHED if job_id else RecordState.UNMATCHED
    return UsageRecord(
        natural_key=key,
        revision=earlier.revision + 1 if earlier is not None else 1,
        message=message,
        provider_id=match.provider_id,
        site=record.site,
        local_job_id=record.local_job_id,
        bill_id=job_id,
        started=record.started,
        ended=record.ended,
        wall_seconds=record.wall_seconds,
        cpu_seconds=record.cpu_seconds,
        processors=record.processors,
        benchmark=record.benchmark,
        level_milli=record.level_milli,
        fields=record.fields,
        state=RecordState.HELD_BACK if match.held_back and not job_id else state,
        note="" if job_id else match.held_back,
    )


@transaction.atomic
def _store_rejected(delivery: _Delivery, refusal: apel.UsageRejected) -> ImportReport:
    """Keep the message with all that is wrong with it, and nothing of what it says."""
    rows = UsageMessage.objects.select_for_update(no_key=True)
    stored = rows.filter(pk=delivery.sha256).first() or UsageMessage(sha256=delivery.sha256)
    known = not stored._state.adding
    if not known or stored.state == MessageState.REJECTED:
        _describe(stored, delivery)
        stored.state = MessageState.REJECTED
        stored.header = stored.body.partition("\n")[0].strip()[:80]
        stored.errors = [fault.as_dict() for fault in refusal.faults]
        stored.save(force_insert=not known)
    return _report(stored, matched=0, duplicate=known)


def _describe(stored: UsageMessage, delivery: _Delivery) -> None:
    stored.source = delivery.source
    stored.signer = delivery.signer
    stored.provider_id = delivery.provider_id
    stored.received_at = delivery.received_at
    # Whatever came in can be looked at, also what no text column takes.
    text = delivery.body.decode("utf-8", "backslashreplace")
    stored.body = text.replace("\x00", "\\x00")


def _report(message: UsageMessage, *, matched: int, duplicate: bool) -> ImportReport:
    return ImportReport(
        sha256=message.sha256,
        state=message.state,
        records=message.records_count,
        matched=matched,
        warnings=message.warnings,
        errors=message.errors,
        duplicate=duplicate,
    )
