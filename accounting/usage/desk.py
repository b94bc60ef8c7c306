"""What people do about usage that did not go through by itself.

Each act takes effect once, whoever else does the same at that moment, and says who did it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounting.accounts import name_of
from accounting.cases import lock_cases
from accounting.directory import directory
from accounting.models import MessageState, QuarantinedRecord, UsageMessage, UsageRecord
from accounting.settlement import lock_bills, settle, settle_jobs
from accounting.usage import jobless
from accounting.usage import rows as usage_rows
from accounting.usage.forms import message_of, parse
from accounting.usage.importer import ImportReport, import_message, message_id
from accounting.usage.loading import load
from accounting.usage.matching import Matcher, claim_of, of_others
from accounting.usage.records import Record, Sender, UsageRejected
from accounting.usage.rows import FREE, HELD_BACK, MATCHED, UNMATCHED, Row, current_rows
from common.clock import now
from common.errors import Conflict, InvalidInput, NotFound
from people.models import User

AT_ONCE = 500


def rematch(providers: Collection[int] | None = None) -> int:
    """Look again for the jobs, and the accounts, of records that have none; how many have now.

    Of these providers, None: of all.
    """
    waiting = UsageRecord.objects.filter(state=UNMATCHED, superseded_by=None)
    of = waiting.exclude(provider_id=None).values_list("provider_id", flat=True).distinct()
    wanted = of if providers is None else of.filter(provider_id__in=providers)
    return sum(_rematch(provider_id) for provider_id in sorted(filter(None, wanted.order_by())))


def assign_to_job(record: UsageRecord, job_id: UUID, *, actor: User) -> UsageRecord:
    """Give a record to a job of its provider; what was charged for it otherwise is given back.

    Raises NotFound for a job without a bill, Conflict when the record was revised meanwhile, is
    another job's, or the job is another provider's.
    """
    with transaction.atomic():
        jobless.reserve([record.provider_id], alone=True)
        bills = lock_bills([job_id])
        if not bills:
            raise NotFound(_("This job has no bill."))
        stored = _locked(record)
        if stored.bill_id != job_id:
            if stored.bill_id is not None:
                raise Conflict(_("This record belongs to another job."))
            if stored.provider_id not in (None, bills[0].provider_id):
                raise Conflict(_("This job is another provider's than the record."))
            billed = stored.usage_bill_id is not None
            stored.bill, stored.usage_bill = bills[0], None
            # What is free stays so: settling says nothing of it.
            stored.state = MATCHED if stored.chargeable else FREE
            stored.provider_id = bills[0].provider_id
            stored.decided_by = name_of(actor)
            stored.save()
            if billed:
                jobless.close([stored.natural_key])
            settle_jobs(job_id)
    stored.refresh_from_db()
    return stored


def release_held_back(record: UsageRecord, *, actor: User) -> UsageRecord:
    """Let a record that was held back count for its job, or charge it to whom its names mean.

    Not held back (any more): no effect. Raises Conflict when nobody is known by its names, or when
    it is too much for any account.
    """
    if (job_id := _job_of(record)) is not None:
        return assign_to_job(record, job_id, actor=actor)
    with transaction.atomic():
        jobless.reserve([record.provider_id], alone=True)
        stored = _locked(record)
        if stored.state != HELD_BACK:
            return stored
        if stored.bill_id is not None or stored.usage_bill_id is not None:
            raise Conflict(_("This costs more than any account can hold. It has to be corrected."))
        rows = current_rows(pk=stored.pk)
        jobless.settle(rows, allowed=True)
        if rows[0].state == UNMATCHED:
            raise Conflict(_("Nobody is known by the names in this record. Say first who that is."))
        UsageRecord.objects.filter(pk=stored.pk).update(decided_by=name_of(actor))
    stored.refresh_from_db()
    return stored


def retry_message(message: UsageMessage, *, actor: User) -> ImportReport:
    """Take a rejected message in again, by the rules of now.

    Taken meanwhile: no effect. Raises Conflict when the message as it came is not here whole,
    InvalidInput when it is refused again.
    """
    body = message.body.encode()
    if message.pk != message_id(body, message.provider_id):
        raise Conflict(_("This message was refused unread. It has to be sent again."))
    sender, sites = _terms(message.provider_id)
    with transaction.atomic():
        UsageMessage.objects.filter(pk=message.pk).update(retried_by=name_of(actor))
        report = import_message(
            body, source=message.source, signer=message.signer, sender=sender, sites=sites
        )
    if report.state == MessageState.REJECTED:
        reasons = [f"line {e['line']}, {e['field']}: {e['reason']}" for e in report.errors]
        raise InvalidInput(_("The message is refused again."), errors={"message": reasons})
    return report


def load_quarantined(row: QuarantinedRecord, text: str, *, actor: User) -> QuarantinedRecord:
    """Load a bad record as `text`, which somebody corrected, into the message that it came with.

    Loaded already: no effect. Raises InvalidInput for what is still wrong with it, Conflict when it
    was dropped, or is known already and says something else.
    """
    with transaction.atomic():
        stored = _decidable(row)
        if stored.state == "WAITING":
            message = stored.message
            record = _the_record(message, text)
            sender, sites = _terms(message.provider_id)
            loaded = load(message, sender, sites, [record])
            if loaded.conflicts:
                raise Conflict(str(loaded.conflicts[0].faults[0].reason))
            message.records_count += 1
            message.save(update_fields=("records_count",))
            _decide(stored, "LOADED", actor)
        elif stored.state != "LOADED":
            raise Conflict(_("This record was dropped."))
    return stored


def drop_message(message: UsageMessage, *, actor: User) -> UsageMessage:
    """Say that a refused message is done with, as after its provider sent a right one.

    Dropped already: no effect. Raises Conflict for one of which something was loaded.
    """
    with transaction.atomic():
        stored = UsageMessage.objects.select_for_update(no_key=True).get(pk=message.pk)
        if stored.state != MessageState.REJECTED:
            raise Conflict(_("This message was loaded."))
        if not stored.dropped_by:
            stored.dropped_by = name_of(actor)
            stored.save(update_fields=["dropped_by"])
    return stored


def drop_quarantined(row: QuarantinedRecord, *, actor: User) -> QuarantinedRecord:
    """Say that a bad record is not to be loaded. Dropped already: no effect.

    Raises Conflict when it was loaded.
    """
    with transaction.atomic():
        stored = _decidable(row)
        if stored.state == "WAITING":
            _decide(stored, "DROPPED", actor)
        elif stored.state != "DROPPED":
            raise Conflict(_("This record was loaded."))
    return stored


def _rematch(provider_id: int) -> int:
    """Of one provider, some at a time: each lot is a transaction."""
    sender, _sites = _terms(provider_id)
    found, after = 0, 0
    while True:
        with transaction.atomic():
            jobless.reserve([provider_id], alone=True)
            waiting = {"state": UNMATCHED, "provider_id": provider_id, "pk__gt": after}
            pks = UsageRecord.objects.filter(superseded_by=None, **waiting).order_by("pk")
            lot = list(pks.values_list("pk", flat=True)[:AT_ONCE])
            if not lot:
                return found
            found += _place(current_rows(pk__among=lot), sender)
            after = lot[-1]


def _place(rows: Sequence[Row], sender: Sender) -> int:
    """Give unmatched rows to their jobs, or else to who the names mean; how many found a place."""
    names = [(() if row.counter_of else (row.local_job_id,), row.provider_id) for row in rows]
    matcher = Matcher(names)
    found = {row.pk: matcher.match(*name) for row, name in zip(rows, names, strict=True)}
    claims = {row.pk: claim_of(row.type, found[row.pk], row.user_name) for row in rows}
    others = of_others(set(filter(None, claims.values())))
    mismatched = {pk: others[claim] for pk, claim in claims.items() if claim and claim in others}
    jobs = {pk: match.job_id for pk, match in (found | mismatched).items()}
    bills = lock_cases(job_id for job_id in jobs.values() if job_id is not None)
    # Read again: the bills are locked only now.
    present = [row for row in current_rows(pk__among=list(jobs)) if row.state == UNMATCHED]
    for row in present:
        if (job_id := jobs[row.pk]) is not None:
            row.bill_id, row.state = job_id, MATCHED
        elif row.pk in mismatched:
            row.state, row.note = HELD_BACK, mismatched[row.pk].held_back
    held = [row for row in present if row.state == HELD_BACK]
    usage_rows.save(held)
    settle(bills, [row for row in present if row.bill_id is not None])
    jobless_rows = [row for row in present if row.bill_id is None and row.pk not in mismatched]
    jobless.settle(jobless_rows, allowed=sender.without_jobs)
    return sum(row.state != UNMATCHED for row in present)


def _job_of(record: UsageRecord) -> UUID | None:
    """The job that a record without one names, if it was held back for another reason."""
    if record.state != HELD_BACK or record.bill_id is not None or record.usage_bill_id is not None:
        return None
    names = (() if record.counter_of else (record.local_job_id,), record.provider_id)
    job_id = Matcher([names]).match(*names).job_id
    return UUID(job_id) if job_id is not None else None


def _the_record(message: UsageMessage, text: str) -> Record:
    """The one record in a corrected text, read as part of its message."""
    try:
        read = parse(message_of(message.header, text), at=now())
    except UsageRejected as refusal:
        raise InvalidInput(refusal.detail, locator="text") from refusal
    faults = [str(fault) for record in read.bad for fault in record.faults]
    if faults:
        raise InvalidInput(_("Something is still wrong with it."), errors={"text": faults})
    if len(read.records) != 1:
        raise InvalidInput(_("This is not one record."), locator="text")
    return read.records[0]


def _terms(provider_id: int | None) -> tuple[Sender, Mapping[str, int]]:
    """What is agreed with a sender now; whose site is whose when it is not known."""
    known = directory()
    return known.sender_of(provider_id), known.sites() if provider_id is None else {}


def _locked(record: UsageRecord) -> UsageRecord:
    """The record as it is now, nobody else deciding on it."""
    stored = UsageRecord.objects.select_for_update(no_key=True).get(pk=record.pk)
    if stored.superseded_by_id is not None:
        raise Conflict(_("There is a newer revision of this record."))
    return stored


def _decidable(row: QuarantinedRecord) -> QuarantinedRecord:
    """The bad record as it is now, nobody else deciding on it."""
    rows = QuarantinedRecord.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("message").get(pk=row.pk)


def _decide(row: QuarantinedRecord, state: str, actor: User) -> None:
    row.state, row.decided_by, row.decided_at = state, name_of(actor), now()
    row.save(update_fields=("state", "decided_by", "decided_at"))
