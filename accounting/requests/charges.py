"""One charge: who may see it, what is left of it, and how it is given back by hand."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from accounting import ledger
from accounting.access import account_for, lines_of
from accounting.directory import directory
from accounting.models import (
    Adjustment,
    AdjustmentState,
    JobBill,
    Phase,
    Transfer,
    TransferKind,
    UsageBill,
)
from accounting.settlement import lock_bills
from common.errors import NotFound
from people.access import is_operator
from people.models import User


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge as one user sees it; amounts in micro-credits.

    `waiting` is what refunds that are not approved yet would give back. `pays` says that the user
    stands on the side that paid, `earns` on the provider's.
    """

    transfer: Transfer
    provider_id: int
    member_id: int | None
    refunded: int
    waiting: int
    pays: bool
    earns: bool
    operates: bool

    @property
    def left(self) -> int:
        """What can still be given back; a correction may have overtaken refunds that wait."""
        return max(0, self.transfer.amount - self.refunded - self.waiting)

    @property
    def may_refund(self) -> bool:
        """Whether the user may give something back without having been asked."""
        return self.earns or self.operates


def charge_for(user: User, transfer_id: UUID) -> Charge:
    """The charge, for whom it is a line of their statement, the provider's owner and operators.

    Raises NotFound for everybody else, and for what is no charge by a provider.
    """
    row = _charges().filter(pk=transfer_id).first()
    if row is None:
        raise NotFound
    provider_id = provider_of(row)
    member_id = member_of(row)
    charge = Charge(
        transfer=row,
        provider_id=provider_id,
        member_id=member_id,
        refunded=refunded_of(row),
        waiting=waiting_of(row),
        pays=_pays(user, row, member_id),
        earns=provider_id in directory().owned_by(user),
        operates=is_operator(user),
    )
    if not (charge.pays or charge.may_refund):
        raise NotFound
    return charge


def provider_of(charge: Transfer) -> int:
    """The provider whose account a charge went to."""
    return int(charge.credit.code.removeprefix("provider:"))


def member_of(charge: Transfer) -> int | None:
    """On whose behalf it was paid; of a hold that was charged, the hold says it."""
    return charge.member_id or (charge.pending.member_id if charge.pending else None)


def refunded_of(charge: Transfer) -> int:
    """What was given back of it, by hand and by corrections."""
    return charge.refunds.aggregate(sum=Sum("amount"))["sum"] or 0


def waiting_of(charge: Transfer) -> int:
    """What refunds that wait for a second person would give back."""
    rows = Adjustment.objects.filter(charge=charge, state=AdjustmentState.PENDING)
    return rows.aggregate(sum=Sum("amount"))["sum"] or 0


def lock_charge(charge: Transfer) -> None:
    """Lock its bill and accounts in the order of every settlement, before deciding on a refund."""
    _bill_of(charge)
    ledger.lock(charge.debit, charge.credit)


def give_back(*, charge: Transfer, amount: int, id: UUID, actor: User, reason: str) -> Transfer:
    """Refund part of a charge by hand, in the caller's transaction; the same `id` once.

    It counts on the bill as refunded: no later correction of the usage charges it again. The
    provider pays also what it has spent already. Raises Conflict for more than is left.
    """
    bill = _bill_of(charge)
    transfer, new = ledger.post(
        id=id,
        phase=Phase.SINGLE,
        kind=TransferKind.REFUND,
        debit=charge.credit,
        credit=charge.debit,
        amount=amount,
        reverses=charge,
        overrun_ok=True,
        actor=f"user:{actor.pk}",
        reason=reason,
        reference=charge.reference,
    )
    if new and bill is not None:
        bill.refunded += amount
        bill.save(update_fields=("refunded",))
    return transfer


def about(charge: Transfer) -> str:
    """One line for a mail."""
    when = f"{charge.created_at:%Y-%m-%d %H:%M} UTC"
    return _("The charge of %(when)s by %(provider)s") % {"when": when, "provider": charge.credit}


def _charges() -> QuerySet[Transfer]:
    return Transfer.objects.filter(
        kind=TransferKind.CHARGE,
        phase__in=(Phase.SINGLE, Phase.POST),
        credit__code__startswith="provider:",
    ).select_related("debit__group", "credit", "pending")


def _pays(user: User, row: Transfer, member_id: int | None) -> bool:
    try:
        account = account_for(user, row.debit_id, "view")
    except NotFound:
        return False
    if is_operator(user) and not _belongs(user, row):
        return False
    own = lines_of(user, account)
    return own is None or own == member_id


def _belongs(user: User, row: Transfer) -> bool:
    if row.debit.user_id is not None:
        return row.debit.user_id == user.pk
    return row.debit.group is not None and user.memberships.filter(group=row.debit.group).exists()


def _bill_of(charge: Transfer) -> JobBill | UsageBill | None:
    """The bill that counts the charge, of a job or of usage without one; locked before accounts."""
    of_usage, _colon, number = charge.reference.partition(":")
    if of_usage == "usage" and number.isdigit():
        return UsageBill.objects.select_for_update(no_key=True).filter(pk=int(number)).first()
    try:
        job_id = UUID(charge.reference)
    except ValueError:
        return None
    return next(iter(lock_bills([job_id])), None)
