"""Charging and giving back on a bill, be it of a job or of usage without one.

Each transfer has an id made of the bill's name and the number of its transfers so far: the same
step again, after a crash, is the same transfer.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from typing import Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from accounting import ledger
from accounting.credit.caps import cap_of
from accounting.models import Account, OverrunPolicy, Phase, Transfer, TransferKind
from common.errors import Conflict, PaymentRequired

log = structlog.get_logger(__name__)

ACTOR = "settlement"
_NAMESPACE = uuid5(NAMESPACE_URL, "accounting.job_bill")
_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


class Billed(Protocol):
    """What both kinds of bill have.

    `charged` is net of what settling gave back. `deferred` is what waits for an account to be open
    again: to be charged, or below 0 to be given back.
    """

    charged: int
    deferred: int
    corrections: int


@dataclass(frozen=True, slots=True)
class Deal:
    """Who pays whom for what, and how far a charge without a hold may go.

    `name` begins the ids of its transfers, `reference` is what they say that they are for.
    """

    name: str
    payer: Account
    payee: Account
    member_id: int | None
    policy: str
    reference: str


def transfer_id(name: str) -> UUID:
    """The id of the transfer of that name: the same act again has the same id (a UUIDv5)."""
    return uuid5(_NAMESPACE, name)


def transfer_key(act: str, job_id: str) -> str:
    """The id of what is done once with a job, as text: the job's begins it (a UUIDv8).

    So transfers about jobs of one time are neighbours in the indexes, as the jobs are
    (`common.ids`). The rest is a digest: the same act again has the same id.
    """
    digest = sha1(f"{act}:{job_id}".encode(), usedforsecurity=False).hexdigest()
    return f"{job_id[:13]}-8{digest[:3]}-{_VARIANTS[digest[3]]}{digest[4:7]}-{digest[7:19]}"


def charge(bill: Billed, deal: Deal, amount: int, *, reason: str) -> Transfer | None:
    """Charge up to `amount` at once, as much as the policy lets; None when that is nothing.

    So also when the account is frozen or closed: then it is deferred. Both accounts are locked:
    what is read here is still so when the charge is booked.
    """
    bill.deferred = 0
    debt = deal.policy == OverrunPolicy.DEBT
    covered = amount if debt else min(amount, _spendable(deal))
    if covered <= 0:
        return None
    try:
        booked, _created = ledger.post(
            id=transfer_id(f"charge:{deal.name}:{bill.corrections + 1}"),
            phase=Phase.SINGLE,
            kind=TransferKind.CHARGE,
            debit=deal.payer,
            credit=deal.payee,
            amount=covered,
            member_id=deal.member_id,
            overrun_ok=debt,
            actor=ACTOR,
            reason=reason,
            reference=deal.reference,
        )
    except (PaymentRequired, Conflict) as refusal:
        log.warning("bill.charge_refused", reference=deal.reference, error=refusal.code)
        if isinstance(refusal, Conflict):
            bill.deferred = amount
        return None
    bill.corrections += 1
    bill.charged += covered
    return booked


def give_back(bill: Billed, deal: Deal, amount: int, *, reason: str) -> None:
    """Refund the newest charges first; each takes back at most what is left of it.

    What the ledger refuses, since an account is frozen or closed, stays charged and is deferred.
    """
    bill.deferred = 0
    ids = ledger.named(deal.reference)
    charges = Transfer.objects.filter(
        Q(pk__in=ids) | Q(pending_id__in=ids), kind=TransferKind.CHARGE, debit_id=deal.payer.pk
    ).annotate(back=Sum("refunds__amount"))
    for charged in charges.order_by("-created_at", "-pk"):
        part = min(amount, charged.amount - (charged.back or 0))
        if part <= 0:
            continue
        try:
            ledger.post(
                id=transfer_id(f"refund:{deal.name}:{bill.corrections + 1}"),
                phase=Phase.SINGLE,
                kind=TransferKind.REFUND,
                debit=deal.payee,
                credit=deal.payer,
                amount=part,
                reverses=charged,
                # The provider gives back what it should not have had, also when it has spent it.
                overrun_ok=True,
                actor=ACTOR,
                reason=reason,
                reference=deal.reference,
            )
        except (PaymentRequired, Conflict) as refusal:
            log.warning("bill.refund_refused", reference=deal.reference, error=refusal.code)
            bill.deferred = -amount
            return
        bill.corrections += 1
        bill.charged -= part
        amount -= part


def why_deferred(bill: Billed) -> str:
    """What is to be said on the records of a bill that waits for an account to be open."""
    if bill.deferred > 0:
        return _("The account is not open: the rest is charged when it is.")
    return _("The provider's account, or the payer's, is not open: the rest is given back then.")


def _spendable(deal: Deal) -> int:
    """What a locked account, and the member's limit on it, leave for a charge without a hold."""
    account = Account.objects.get(pk=deal.payer.pk)
    if deal.member_id is None:
        return account.available
    cap = cap_of(account, deal.member_id)
    if cap is None:
        return account.available
    return min(account.available, cap.limit_amount - cap.used - cap.held)
