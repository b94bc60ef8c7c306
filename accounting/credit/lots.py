"""Credit that expires: which part of a balance ends when.

The ledger knows one balance. Lots divide it, and follow from the account's entries alone: each
entry is replayed once, in the order of its version, with the account locked. A debit takes from
the lots that were active at its time, earliest expiry first, the rest from credit that does not
expire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

import structlog
from django.db import transaction
from django.db.models import F, Sum

from accounting.accounts import system_account
from accounting.credit.lot_replay import key_of, replay
from accounting.ledger import lock, post
from accounting.models import (
    Account,
    AccountStatus,
    Entry,
    Lot,
    LotCursor,
    Phase,
    Transfer,
    TransferKind,
)
from common.errors import PortalError

log = structlog.get_logger(__name__)

NAMESPACE = UUID("c1f7c5de-0b0f-5f0e-8f52-6f4f7c2f6d11")
BATCH = 500
PASSES = 5  # credit that expires goes from an account to another and back within one sweep


@dataclass(frozen=True, slots=True)
class Expiring:
    """Micro-credits that expire at an instant."""

    at: datetime
    amount: int


def follow(transfer: Transfer, account: Account) -> None:
    """Let the account have lots from this transfer on, in the caller's transaction."""
    entry = Entry.objects.get(transfer=transfer, account=account)
    cursor = LotCursor(account=account, version=entry.version - 1)
    LotCursor.objects.bulk_create([cursor], ignore_conflicts=True)


def bring_up(account: Account) -> bool:
    """Bring the account's lots up to its latest entry; True when they are.

    False: credit came from an account whose own lots have to be brought up first.
    """
    if not LotCursor.objects.filter(account=account).exists():
        return True
    with transaction.atomic():
        lock(account)
        cursor = LotCursor.objects.get(account=account)
        entries = Entry.objects.filter(account=account).select_related(
            "transfer__pending", "transfer__reverses", "transfer__grant"
        )
        while True:
            batch = list(entries.filter(version__gt=cursor.version).order_by("version")[:BATCH])
            reached = replay(account, batch)
            LotCursor.objects.filter(pk=cursor.pk).update(version=F("version") + reached)
            cursor.version += reached
            if reached < len(batch):
                return False
            if len(batch) < BATCH:
                return True


def carry(*accounts: Account) -> None:
    """Bring up accounts between which credit was just moved: the giver first."""
    for account in accounts:
        bring_up(account)


def expire_due(at: datetime) -> int:
    """End the credit whose time is over at `at`; returns how many transfers that took.

    What is under a hold stays for that hold and ends when the hold is released. A frozen account
    keeps its credit until it is opened. Lots of all accounts are brought up first.
    """
    _bring_up_all()
    due = Lot.objects.filter(
        remaining__gt=0,
        expires_at__lte=at,
        account__status=AccountStatus.OPEN,
        account__posted__gt=F("account__held"),
    )
    ended = 0
    for account_id in list(due.order_by("account").values_list("account", flat=True).distinct()):
        try:
            ended += _expire(Account(pk=account_id), at)
        except PortalError as error:  # busy, or frozen meanwhile: the next sweep comes soon
            log.warning("expiry_put_off", account=account_id, error=error.code)
    return ended


def remaining(account: Account) -> list[Expiring]:
    """What is left of the credit that expires, by instant, earliest first.

    What lies in the past already is under a hold, or about to be ended.
    """
    bring_up(account)
    left = Lot.objects.filter(account=account, remaining__gt=0)
    rows = left.order_by("expires_at").values_list("expires_at").annotate(Sum("remaining"))
    return [Expiring(at, amount) for at, amount in rows]


def sum_until(lots: Sequence[Expiring], until: datetime) -> int:
    """Micro-credits that expire up to an instant."""
    return sum(lot.amount for lot in lots if lot.at <= until)


def _bring_up_all() -> None:
    """Bring up every account with lots that has newer entries."""
    for _pass in range(PASSES):
        behind = LotCursor.objects.filter(version__lt=F("account__version")).order_by("pk")
        for account_id in list(behind.values_list("pk", flat=True)):
            _try_bring_up(account_id)
        # Receivers of what expires have their place by now, and are brought up in turn.
        if not behind.exists():
            return


def _try_bring_up(account_id: int) -> None:
    try:
        bring_up(Account(pk=account_id))
    except PortalError as error:
        log.warning("lots_put_off", account=account_id, error=error.code)


def _expire(account: Account, at: datetime) -> int:
    expired = system_account("expired")
    ended = 0
    with transaction.atomic():
        lock(account, expired)
        if not bring_up(account):
            return 0
        account.refresh_from_db()
        # Not `available`: the credit limit is nobody's grant.
        free = account.posted - account.held
        due = Lot.objects.filter(account=account, remaining__gt=0, expires_at__lte=at)
        for lot in due.order_by("expires_at", "pk"):
            amount = min(lot.remaining, free)
            if amount > 0:
                _end(lot, amount, account, expired)
                free -= amount
                ended += 1
        bring_up(account)
    return ended


def _end(lot: Lot, amount: int, account: Account, expired: Account) -> None:
    key = key_of(lot)
    before = Transfer.objects.filter(reference=key, pending=None, kind=TransferKind.EXPIRE).count()
    post(
        id=uuid5(NAMESPACE, f"expire:{key}:{before + 1}"),
        phase=Phase.SINGLE,
        kind=TransferKind.EXPIRE,
        debit=account,
        credit=expired,
        amount=amount,
        actor="portal",
        reason=f"valid until {lot.expires_at:%Y-%m-%d %H:%M} UTC",
        reference=key,
        effective_at=lot.expires_at,
    )
