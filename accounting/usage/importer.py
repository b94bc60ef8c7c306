"""Taking in usage messages: stored once, matched to jobs, priced, charged; whole or not at all.

A record changes no balance by itself. It is stored with its job, and the job's bill is settled
from all records that the job has: twice the same record, or records in another order, come to the
same charge.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import F

from accounting.models import MessageState, QuarantinedRecord, UsageMessage
from accounting.usage.forms import parse
from accounting.usage.loading import Loaded, load
from accounting.usage.records import BadRecord, Message, Remark, Sender, UsageRejected, reject
from common.bulk import expect_lookups
from common.clock import now
from common.errors import ServerBusy, TooLarge

MOST_BYTES = 5 * 1024 * 1024
_TRIES = 3
_DEADLOCK = "40P01"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a message. `duplicate`: it had been taken before, now nothing happened.

    `records` were taken, of which `unchanged` were here already; `matched` are of known jobs.
    `errors` and `warnings` are {line, field, reason, count}. A REJECTED message left no record.
    """

    id: str
    state: str
    records: int
    matched: int
    quarantined: int
    warnings: Sequence[dict[str, Any]]
    errors: Sequence[dict[str, Any]]
    duplicate: bool
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A message as it came in, and whose jobs it may name."""

    id: str
    body: bytes
    source: str
    signer: str
    sender: Sender
    received_at: datetime
    sites: Mapping[str, int]


def message_id(body: bytes, provider_id: int | None) -> str:
    """SHA-256 over the sender and the body: what nobody sends cannot stand in another's way."""
    digest = hashlib.sha256(f"{provider_id or 0}\n".encode())
    digest.update(body)
    return digest.hexdigest()


def import_message(
    body: bytes,
    *,
    source: str,
    signer: str = "",
    sender: Sender,
    received_at: datetime | None = None,
    sites: Mapping[str, int] | None = None,
) -> ImportReport:
    """Take a usage message in, and settle what it tells about.

    `sender` says which provider sent it: it may only name its own jobs. When it is not known (an
    operator's upload), `sites` maps a record's Site to a provider, and a record that names a
    job by the portal's identifier belongs to that job's provider.
    A message with any bad record is REJECTED whole, and stored with all that is wrong with it. From
    a sender whose good records are to be kept it is loaded PARTLY, the bad ones in quarantine.
    Raises TooLarge above 5 MB; then nothing is stored.
    """
    if len(body) > MOST_BYTES:
        raise TooLarge(limit=MOST_BYTES)
    key = message_id(body, sender.provider_id)
    delivery = _Delivery(key, body, source, signer[:255], sender, received_at or now(), sites or {})
    try:
        with _nothing_collected():
            return _insist(delivery, _good_enough(delivery, parse(body, at=delivery.received_at)))
    except UsageRejected as refusal:
        try:
            return _store_rejected(delivery, refusal)
        except IntegrityError:  # another worker stored the same message at this moment
            return _store_rejected(delivery, refusal)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """All that a message brings lives to its end: to look for garbage meanwhile finds none."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _good_enough(delivery: _Delivery, message: Message) -> Message:
    if message.bad and not delivery.sender.keep_good:
        raise UsageRejected(_faults(message.bad))
    return message


def _faults(bad: Sequence[BadRecord]) -> list[Remark]:
    faults = [fault for record in bad for fault in record.faults]
    return sorted(faults, key=lambda fault: fault.line)


def _insist(delivery: _Delivery, message: Message) -> ImportReport:
    """Load the message; once more when another worker was in the way at this moment."""
    for attempt in range(1, _TRIES + 1):
        try:
            return _load(delivery, message)
        except (IntegrityError, ServerBusy):
            # The same message or record was stored meanwhile: look at it anew.
            if attempt == _TRIES:
                raise
        except OperationalError as error:
            if attempt == _TRIES or getattr(error.__cause__, "sqlstate", None) != _DEADLOCK:
                raise
        except (DataError, UnicodeEncodeError) as error:
            raise reject(0, "has a value that cannot be stored") from error
    raise AssertionError  # the loop returns or raises


@transaction.atomic
def _load(delivery: _Delivery, message: Message) -> ImportReport:
    expect_lookups()
    stored, news = _open_message(delivery)
    if not news:
        matched = stored.records.filter(bill__isnull=False).count()
        return _report(stored, Loaded(matched=matched), duplicate=True)
    stored.header = message.header[:80]
    stored.state = MessageState.LOADED
    stored.save(force_insert=stored._state.adding)
    loaded = load(stored, delivery.sender, delivery.sites, message.records)
    bad = [*message.bad, *loaded.conflicts]
    if loaded.conflicts and not delivery.sender.keep_good:
        raise UsageRejected(_faults(bad))
    stored.records_count = len(message.records) - len(loaded.conflicts)
    stored.warnings = [remark.as_dict() for remark in (*message.warnings, *loaded.remarks)]
    stored.errors = [fault.as_dict() for fault in _faults(bad)]
    if bad:
        stored.state = MessageState.PARTLY
        _quarantine(stored, bad)
    stored.save(update_fields=("records_count", "warnings", "errors", "state"))
    return _report(stored, loaded, duplicate=False)


def _open_message(delivery: _Delivery) -> tuple[UsageMessage, bool]:
    """The row of the message, locked, and whether its records are to be loaded.

    They are when it is new, was rejected before (and is fine by now), or came first without and
    now with its provider: then what it could not be matched to before is set aside.
    """
    stored = _known(delivery)
    news = stored is None or stored.state == MessageState.REJECTED
    stored = stored or UsageMessage(id=delivery.id)
    if not news and delivery.sender.provider_id is not None:
        homeless = stored.records.filter(provider_id=None, bill=None, superseded_by=None)
        news = homeless.update(superseded_by=F("pk")) > 0
    if news:
        _describe(stored, delivery)
    return stored, news


def _known(delivery: _Delivery) -> UsageMessage | None:
    """The row of the message, be it from its sender or from nobody known."""
    rows = UsageMessage.objects.select_for_update(no_key=True)
    stored = rows.filter(pk=delivery.id).first()
    sender = delivery.sender.provider_id
    if stored is not None or sender is None:
        return stored
    unsigned = rows.filter(pk=message_id(delivery.body, None)).first()
    if unsigned is None or unsigned.state == MessageState.REJECTED:
        return None
    # What was found to be another provider's is not known to come from this one.
    others = unsigned.records.exclude(provider_id=None).exclude(provider_id=sender)
    return None if others.exists() else unsigned


def _quarantine(message: UsageMessage, bad: Sequence[BadRecord]) -> None:
    QuarantinedRecord.objects.bulk_create(
        (
            QuarantinedRecord(
                message=message,
                provider_id=message.provider_id,
                line=record.line,
                text=_storable(record.text),
                faults=[fault.as_dict() for fault in record.faults],
            )
            for record in bad
        ),
        batch_size=500,
        ignore_conflicts=True,  # the message came before without its provider
    )


@transaction.atomic
def _store_rejected(delivery: _Delivery, refusal: UsageRejected) -> ImportReport:
    """Keep the message with all that is wrong with it, and nothing of what it says."""
    rows = UsageMessage.objects.select_for_update(no_key=True)
    stored = rows.filter(pk=delivery.id).first()
    known = stored is not None
    if stored is None:
        stored = UsageMessage(id=delivery.id, state=MessageState.REJECTED)
    if stored.state == MessageState.REJECTED:
        _describe(stored, delivery)
        stored.header = stored.body.partition("\n")[0].strip()[:80]
        stored.errors = [fault.as_dict() for fault in refusal.faults]
        stored.save(force_insert=not known)
    return _report(stored, Loaded(), duplicate=known)


def _describe(stored: UsageMessage, delivery: _Delivery) -> None:
    stored.source = delivery.source
    stored.signer = delivery.signer
    stored.provider_id = delivery.sender.provider_id
    stored.received_at = delivery.received_at
    stored.dropped_by = ""  # what comes again is to be looked at again
    # Whatever came in can be looked at, also what no text column takes.
    stored.body = _storable(delivery.body.decode("utf-8", "backslashreplace"))


def _storable(text: str) -> str:
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()


def _report(message: UsageMessage, loaded: Loaded, *, duplicate: bool) -> ImportReport:
    return ImportReport(
        id=message.pk,
        state=message.state,
        records=message.records_count,
        matched=loaded.matched,
        quarantined=message.quarantined.count() if message.state == MessageState.PARTLY else 0,
        warnings=message.warnings,
        errors=message.errors,
        duplicate=duplicate,
        unchanged=loaded.unchanged,
    )
