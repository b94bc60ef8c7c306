"""The only writer of transfers.

One statement per transfer: the database checks it, moves the money and writes the entries
(migration 0002), so that no path through the code can forget a check and no lock is held over the
network. Here are the idempotency of the call and the meaning of a refusal.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
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
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounting.models import Account, MemberCap, Phase, Transfer, TransferKind
from accounting.models.ledger import MOST
from common import money
from common.clock import now
from common.errors import (
    Conflict,
    InsufficientCredit,
    InvalidInput,
    MemberLimitReached,
    NotFound,
    PortalError,
    ServerBusy,
)

_REFUSALS: dict[str, tuple[type[PortalError], object]] = {
    "acc_amount_pos": (InvalidInput, _("The amount must be positive and not above the limit.")),
    "acc_two_accounts": (InvalidInput, _("Credit moves between two different accounts.")),
    "acc_phase": (InvalidInput, _("There is no such phase of a transfer.")),
    "acc_transfer_kind": (InvalidInput, _("There is no such kind of transfer.")),
    "acc_pending_ref": (InvalidInput, _("A charge or release of a hold names it; others do not.")),
    "acc_refund_ref": (InvalidInput, _("A refund names the charge; other transfers do not.")),
    "acc_expiry_only_pending": (InvalidInput, _("Only a hold expires.")),
    "acc_manual_needs_reason": (InvalidInput, _("An adjustment needs a reason.")),
    "acc_account_exists": (NotFound, _("There is no such account.")),
    "acc_pending_match": (Conflict, _("This does not match the hold.")),
    "acc_void_whole": (Conflict, _("A hold is released whole.")),
    "acc_refund_bound": (
        Conflict,
        _("A refund mirrors a charge and does not exceed it."),
    ),
    "acc_same_currency": (Conflict, _("The accounts are in different currencies.")),
    "acc_open": (Conflict, _("The account is frozen or closed.")),
    "acc_closed_empty": (Conflict, _("The account is closed.")),
    "acc_bounds": (Conflict, _("The account cannot hold that much.")),
}
# Another writer is in the way and nothing was booked: serialisation, deadlock, lock not available.
_BUSY_STATES = {"40001", "40P01", "55P03"}


def fingerprint(transfer: Transfer) -> str:
    """SHA-256 over what makes two transfers with one id the same transfer."""
    content = (
        transfer.phase,
        transfer.kind,
        transfer.debit_id,
        transfer.credit_id,
        transfer.amount,
        transfer.pending_id,
        transfer.reverses_id,
        transfer.member_id,
        transfer.reference,
    )
    text = "|".join("" if part is None else str(part) for part in content)
    return hashlib.sha256(text.encode()).hexdigest()


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
    booked_at = now()
    transfer = Transfer(
        id=id,
        phase=str(phase),
        kind=str(kind),
        debit_id=debit.pk,
        credit_id=credit.pk,
        amount=amount,
        pending_id=_id_of(pending),
        reverses_id=_id_of(reverses),
        overrun_ok=overrun_ok,
        member_id=member_id,
        actor=actor,
        reason=reason,
        reference=reference,
        effective_at=effective_at or booked_at,
        created_at=booked_at,
        expires_at=expires_at,
    )
    if not isinstance(amount, int) or not 0 < amount <= MOST:
        raise _refusal("acc_amount_pos")
    transfer.fingerprint = fingerprint(transfer)
    try:
        created = _insert(transfer)
    except IntegrityError as error:
        rule = broken_rule(error)
        if rule == "acc_transfer_one_resolution":
            return _resolution_like(transfer), False
        raise _explain(rule, transfer, error) from error
    return (transfer, True) if created else (_same_as(transfer), False)


def lock(*accounts: Account) -> None:
    """Lock the accounts in the order that cannot deadlock, until the caller's transaction ends.

    Needed before several transfers in one transaction, and where a decision rests on a balance.
    (On SQLite a transaction has the whole database.)
    """
    rows = Account.objects.select_for_update(no_key=True).filter(pk__in=[a.pk for a in accounts])
    list(rows.order_by("pk").values_list("pk"))


def broken_rule(error: IntegrityError) -> str:
    """The name of the constraint behind an error, "" if it has none."""
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name or ""
    text = str(error)
    if "acc_transfer.pending_id" in text:
        return "acc_transfer_one_resolution"
    return text.removeprefix("CHECK constraint failed: ")


def _id_of(transfer: Transfer | UUID | None) -> UUID | None:
    return transfer.pk if isinstance(transfer, Transfer) else transfer


@cache
def _insert_sql() -> str:
    columns = [str(field.column) for field in Transfer._meta.concrete_fields]
    # Not bulk_create(ignore_conflicts=True): that would also ignore a second resolution of a hold
    # and, on SQLite, every check inside the triggers.
    return (
        f"INSERT INTO acc_transfer ({', '.join(columns)})"  # noqa: S608 (our own column names)
        f" VALUES ({', '.join(['%s'] * len(columns))}) ON CONFLICT (id) DO NOTHING"
    )


def _insert(transfer: Transfer) -> bool:
    """One statement, one round trip; a savepoint only where there is a transaction to protect."""
    database = connections[DEFAULT_DB_ALIAS]
    row = _row(transfer, database)
    try:
        if not database.in_atomic_block:
            created = _execute(row, database)
        else:
            with transaction.atomic():
                created = _execute(row, database)
    except OperationalError as error:
        state = getattr(error.__cause__, "sqlstate", None)
        if state in _BUSY_STATES or "database is locked" in str(error):
            raise ServerBusy from error
        raise
    except DataError as error:
        raise InvalidInput(_("A text is too long or cannot be stored.")) from error
    transfer._state.adding, transfer._state.db = False, database.alias
    return created


def _row(transfer: Transfer, database: BaseDatabaseWrapper) -> list[Any]:
    fields = Transfer._meta.concrete_fields
    if database.features.has_native_uuid_field:  # the driver takes all of Python's own types
        return [getattr(transfer, field.attname) for field in fields]
    return [field.get_db_prep_save(getattr(transfer, field.attname), database) for field in fields]


def _execute(row: list[Any], database: BaseDatabaseWrapper) -> bool:
    with database.cursor() as cursor:
        cursor.execute(_insert_sql(), row)
        return cursor.rowcount == 1


def _same_as(transfer: Transfer) -> Transfer:
    """What is booked under the transfer's id, provided that it is this transfer."""
    booked = Transfer.objects.get(pk=transfer.pk)
    if booked.fingerprint != transfer.fingerprint:
        raise Conflict(_("This identifier stands for another transfer already."))
    return booked


def _resolution_like(transfer: Transfer) -> Transfer:
    """What resolved the hold, provided that it came out as this transfer would."""
    booked = Transfer.objects.get(pending_id=transfer.pending_id)
    if (booked.phase, booked.amount) != (transfer.phase, transfer.amount):
        raise Conflict(_("The hold is charged or released already."))
    return booked


def _refusal(rule: str) -> PortalError:
    error, text = _REFUSALS[rule]
    return error(text)


def _explain(rule: str, transfer: Transfer, error: IntegrityError) -> Exception:
    if rule == "acc_no_overdraft":
        return _insufficient(transfer)
    if rule == "acc_cap_limit":
        return _over_limit(transfer)
    return _refusal(rule) if rule in _REFUSALS else error


def _required(transfer: Transfer) -> tuple[int, int | None]:
    """What the transfer needs beyond its hold, and the member who spends."""
    if transfer.pending_id is None:
        return transfer.amount, transfer.member_id
    hold = Transfer.objects.get(pk=transfer.pending_id)
    return transfer.amount - hold.amount, hold.member_id


def _insufficient(transfer: Transfer) -> InsufficientCredit:
    required, _member = _required(transfer)
    account = Account.objects.get(pk=transfer.debit_id)
    available = account.available
    shortfall = max(0, required - available)  # credit may have arrived since the refusal
    text = _("%(account)s does not cover this: %(required)s needed, %(available)s available.") % {
        "account": account,
        "required": money.show(required),
        "available": money.show(available),
    }
    return InsufficientCredit(
        text,
        required=money.credits(required),
        available=money.credits(available),
        shortfall=money.credits(shortfall),
        account=str(account),
    )


def _over_limit(transfer: Transfer) -> MemberLimitReached:
    """data: required, available, shortfall (Decimal credits), account (its name)."""
    required, member_id = _required(transfer)
    account = Account.objects.get(pk=transfer.debit_id)
    cap = MemberCap.objects.filter(Q(account=account), Q(member_id=member_id)).first()
    left = max(0, cap.limit_amount - cap.used - cap.held) if cap else 0
    text = _("Your limit on %(account)s leaves %(left)s; %(required)s needed.") % {
        "account": account,
        "left": money.show(left),
        "required": money.show(required),
    }
    return MemberLimitReached(
        text,
        required=money.credits(required),
        available=money.credits(left),
        shortfall=money.credits(max(0, required - left)),
        account=str(account),
    )
