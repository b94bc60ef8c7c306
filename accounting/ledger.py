"""The only writer of transfers.

One statement for a transfer, or for many: the database checks them, moves the money and writes the
entries (migrations/ledger_triggers), so that no path through the code can forget a check and no
lock is held over the network. Here are the idempotency of the calls and the meaning of a refusal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import (
    DEFAULT_DB_ALIAS,
    DataError,
    IntegrityError,
    OperationalError,
    connections,
    transaction,
)
from django.utils.translation import gettext_lazy as _

from accounting import ledger_rows
from accounting.ledger_rows import Row
from accounting.models import Account, Phase, Transfer, TransferKind
from accounting.models.ledger import MOST
from accounting.refusals import broken_rule, explain, refusal
from common.clock import now
from common.errors import Conflict, InvalidInput, ServerBusy

__all__ = ["Posting", "broken_rule", "fingerprint", "lock", "named", "post", "post_many"]

# Another writer is in the way and nothing was booked: serialisation, deadlock, lock not available.
_BUSY_STATES = {"40001", "40P01", "55P03"}


@dataclass(slots=True, kw_only=True)
class Posting:
    """A transfer to be booked: the arguments of `post`; identifiers also as `str(UUID)`.

    `phase` and `kind` also as plain text. (Not frozen: that would take its time.)
    """

    id: UUID | str
    phase: Phase | str
    kind: TransferKind | str
    debit: Account
    credit: Account
    amount: int
    pending: Transfer | UUID | str | None = None
    reverses: Transfer | UUID | None = None
    member_id: int | None = None
    overrun_ok: bool = False
    actor: str = ""
    reason: str = ""
    reference: str = ""
    effective_at: datetime | None = None
    expires_at: datetime | None = None


# As `_row` has them.
_IDENTITY = (
    *("phase", "kind", "debit_id", "credit_id", "amount", "pending_id", "reverses_id"),
    *("member_id", "reference"),
)


def fingerprint(transfer: Transfer) -> str:
    """SHA-256 over what makes two transfers with one id the same transfer."""
    return _digest(*(getattr(transfer, name) for name in _IDENTITY))


def post(  # noqa: PLR0913 (a transfer has that many facts)
    *,
    id: UUID,
    phase: Phase,
    kind: TransferKind,
    debit: Account,
    credit: Account,
    amount: int,
    pending: Transfer | UUID | None = None,
    reverses: Transfer | UUID | None = None,
    member_id: int | None = None,
    overrun_ok: bool = False,
    actor: str = "",
    reason: str = "",
    reference: str = "",
    effective_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> tuple[Transfer, bool]:
    """Book a transfer of `amount` micro-credits from `debit` to `credit`; True if it is new.

    The caller chooses `id` from what it does, so that a retry has the same one: it then gets the
    earlier transfer and False. So does a second resolution of a hold with the same outcome.
    `pending` is the hold that a post or void resolves, `reverses` the charge that a refund gives
    back. In a caller's transaction a refusal undoes this transfer only; a caller of several
    transfers in one transaction calls `lock` first. Account instances are stale afterwards.

    Raises InsufficientCredit, MemberLimitReached; Conflict (the id stands for another transfer, the
    hold is resolved otherwise, the account is not open …); InvalidInput; NotFound; ServerBusy.
    """
    posting = Posting(
        id=id,
        phase=phase,
        kind=kind,
        debit=debit,
        credit=credit,
        amount=amount,
        pending=pending,
        reverses=reverses,
        member_id=member_id,
        overrun_ok=overrun_ok,
        actor=actor,
        reason=reason,
        reference=reference,
        effective_at=effective_at,
        expires_at=expires_at,
    )
    row = _row(posting, now())
    transfer = Transfer.from_db(DEFAULT_DB_ALIAS, Row._fields, row)
    try:
        created = _insert(row)
    except IntegrityError as error:
        rule = broken_rule(error)
        if rule == "acc_transfer_one_resolution":
            return _resolution_like(transfer), False
        raise explain(rule, transfer, error) from error
    return (transfer, True) if created else (_same_as(transfer), False)


def post_many(postings: Sequence[Posting]) -> int:
    """Book many transfers in one statement, all or none; how many of them are new.

    Made for resolutions of holds: those within their holds are booked as a set, with one change of
    each account. Anything else is checked one by one, as `post` does. What `post` says about ids
    and refusals holds for each; a refusal undoes all of these transfers, and nothing else of the
    caller's transaction.
    """
    booked_at = now()
    rows = [_row(posting, booked_at) for posting in postings]
    # Two who resolve the same holds wait for each other in the same order, not in a deadlock.
    rows.sort(key=lambda row: str(row.pending_id or ""))
    try:
        with _understood(), transaction.atomic():
            created = ledger_rows.insert_many(rows, connections[DEFAULT_DB_ALIAS]) if rows else 0
            if created < len(rows):
                _must_be_booked(rows)
            return created
    except (IntegrityError, Conflict):
        return _one_by_one(postings)  # which of them is it, and is it one that is done already?


def lock(*accounts: Account) -> None:
    """Lock the accounts in the order that cannot deadlock, until the caller's transaction ends.

    Needed before several transfers in one transaction, and where a decision rests on a balance.
    (On SQLite a transaction has the whole database.)
    """
    rows = Account.objects.select_for_update(no_key=True).filter(pk__in=[a.pk for a in accounts])
    list(rows.order_by("pk").values_list("pk"))


def named(reference: str) -> list[UUID]:
    """The transfers that are for what has this name, but for resolutions: ask by the holds' ids.

    (A resolution names what its hold names. It is in one index less for that.)
    """
    rows = Transfer.objects.filter(reference=reference, pending=None)
    return list(rows.values_list("pk", flat=True))


def _row(posting: Posting, booked_at: datetime) -> Row:
    phase, kind = str(posting.phase), str(posting.kind)
    debit, credit = posting.debit.id, posting.credit.id
    amount = _possible(posting.amount)
    pending, reverses = _id_of(posting.pending), _id_of(posting.reverses)
    member, reference = posting.member_id, posting.reference
    return Row(
        posting.id,
        phase,
        kind,
        debit,
        credit,
        amount,
        pending,
        reverses,
        posting.overrun_ok,
        member,
        _digest(phase, kind, debit, credit, amount, pending, reverses, member, reference),
        posting.actor,
        posting.reason,
        reference,
        posting.effective_at or booked_at,
        booked_at,
        posting.expires_at,
    )


def _possible(amount: int) -> int:
    if not isinstance(amount, int) or not 0 < amount <= MOST:
        raise refusal("acc_amount_pos")
    return amount


def _id_of(transfer: Transfer | UUID | str | None) -> UUID | str | None:
    return transfer.pk if isinstance(transfer, Transfer) else transfer


def _digest(*facts: Any) -> str:
    text = "|".join(["" if fact is None else str(fact) for fact in facts])
    return hashlib.sha256(text.encode()).hexdigest()


def _insert(row: Row) -> bool:
    """One round trip; a savepoint only where there is a transaction to protect."""
    database = connections[DEFAULT_DB_ALIAS]
    with _understood():
        if not database.in_atomic_block:
            return ledger_rows.insert(row, database)
        with transaction.atomic():
            return ledger_rows.insert(row, database)


@contextmanager
def _understood() -> Iterator[None]:
    """What a database in trouble says, in the portal's words."""
    try:
        yield
    except OperationalError as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state in _BUSY_STATES or "database is locked" in str(error):
            raise ServerBusy from error
        raise
    except DataError as error:
        raise InvalidInput(_("A text is too long or cannot be stored.")) from error


def _same_as(transfer: Transfer) -> Transfer:
    """What is booked under the transfer's id, provided that it is this transfer."""
    booked = Transfer.objects.get(pk=transfer.pk)
    if booked.fingerprint != transfer.fingerprint:
        raise Conflict(_("This identifier stands for another transfer already."))
    return booked


def _must_be_booked(rows: list[Row]) -> None:
    found = Transfer.objects.filter(pk__among=[row.id for row in rows])
    booked = {str(pk): told for pk, told in found.values_list("pk", "fingerprint")}
    if any(booked[str(row.id)] != row.fingerprint for row in rows):
        raise Conflict(_("This identifier stands for another transfer already."))


def _one_by_one(postings: Sequence[Posting]) -> int:
    """The slow way, which tells what is wrong with a transfer."""
    with transaction.atomic():
        lock(*(account for p in postings for account in (p.debit, p.credit)))
        return sum(post(**_arguments(posting))[1] for posting in postings)


def _arguments(posting: Posting) -> dict[str, Any]:
    arguments = {name: getattr(posting, name) for name in Posting.__slots__}
    for name in ("id", "pending"):
        if isinstance(arguments[name], str):
            arguments[name] = UUID(arguments[name])
    return arguments


def _resolution_like(transfer: Transfer) -> Transfer:
    """What resolved the hold, provided that it came out as this transfer would."""
    booked = Transfer.objects.get(pending_id=transfer.pending_id)
    if (booked.phase, booked.amount) != (transfer.phase, transfer.amount):
        raise Conflict(_("The hold is charged or released already."))
    return booked
