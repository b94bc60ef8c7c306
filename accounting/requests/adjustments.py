"""Refunds and corrections by hand; large ones are booked when a second person agrees.

A refund gives back part of a charge, at the provider's expense. An adjustment comes from, or goes
to, system:writeoff: goodwill beyond a charge, and putting right what the portal did wrong.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Abs
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounting import ledger
from accounting.accounts import system_account
from accounting.credit.transfers import NAMESPACE
from accounting.directory import directory
from accounting.inputs import again, positive, reason_of, same_again
from accounting.models import (
    Account,
    AccountKind,
    Adjustment,
    AdjustmentState,
    Phase,
    Transfer,
    TransferKind,
)
from accounting.refusals import insufficient
from accounting.requests.charges import (
    about,
    charge_for,
    give_back,
    lock_charge,
    member_of,
    refunded_of,
)
from accounting.requests.letters import answerable_for, operators, tell
from common import money
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput
from people.access import is_operator
from people.models import User

DAY = timedelta(days=1)


def propose_refund(
    *, actor: User, charge_id: UUID, amount: int, reason: str, key: str = ""
) -> Adjustment:
    """Give back `amount` micro-credits of a charge; for the provider's owner and operators.

    Booked at once up to the approval limit, see `propose`. Raises NotFound, Forbidden,
    InvalidInput, Conflict for more than is left of the charge.
    """
    seen = charge_for(actor, charge_id)
    if not seen.may_refund:
        raise Forbidden(_("The provider and the portal's operators give charges back."))
    row = Adjustment(account=seen.transfer.debit, charge=seen.transfer, amount=positive(amount))
    return _propose(row, actor, reason, key)


def propose(
    *, actor: User, account: Account, amount: int, reason: str, key: str = ""
) -> Adjustment:
    """Add to an account, or take from it (`amount` below 0); for operators.

    What one person books on one account within a day without a second one is at most
    settings.ADJUSTMENT_APPROVAL_LIMIT credits; above, it waits. Raises Forbidden, InvalidInput,
    InsufficientCredit.
    """
    if not is_operator(actor):
        raise Forbidden(_("Only operators may adjust accounts."))
    if account.kind == AccountKind.SYSTEM:
        raise InvalidInput(_("The portal's own accounts are not adjusted."), locator="account")
    positive(abs(amount))
    return _propose(Adjustment(account=account, amount=amount), actor, reason, key)


def approve(*, actor: User, adjustment: Adjustment) -> Adjustment:
    """Book it. Raises Forbidden for who proposed it and who is no operator.

    Raises Conflict if it is decided, or a refund of more than corrections have left of the charge.
    """
    with transaction.atomic():
        row = _pending(adjustment)
        _must_be_second(actor, row)
        _lock(row)
        _must_be_left(row)
        _book(row, actor)
        tell_proposer(row, gettext_lazy("Approved: %(amount)s credits"))
    return row


def refuse(*, actor: User, adjustment: Adjustment, reason: str) -> Adjustment:
    """Let it be: a second operator's decision, or the proposer's own. Raises as `approve`."""
    with transaction.atomic():
        row = _pending(adjustment)
        if actor.pk != row.requested_by_id:
            _must_be_second(actor, row)
        row.note = reason_of(reason)
        _close(row, AdjustmentState.REFUSED, actor)
        if actor.pk != row.requested_by_id:
            tell_proposer(row, gettext_lazy("Not approved: %(amount)s credits"))
    return row


def pending() -> QuerySet[Adjustment]:
    """What waits for a second person, the oldest first."""
    return _rows().filter(state=AdjustmentState.PENDING).order_by("requested_at")


def adjustments_on(account: Account) -> QuerySet[Adjustment]:
    """Refunds and corrections of an account, newest first."""
    return _rows().filter(account=account)


def adjustments_by(user: User) -> QuerySet[Adjustment]:
    """What operators see: everything; providers' owners: what they proposed."""
    return _rows() if is_operator(user) else _rows().filter(requested_by=user)


def may_approve(user: User, row: Adjustment) -> bool:
    """Whether the user is a second person for it."""
    return is_operator(user) and row.requested_by_id != user.pk


def tell_proposer(row: Adjustment, subject: str | Promise) -> None:
    """Mail who proposed it what became of it; `subject` has a place for the `amount`."""
    values = {"amount": money.show(abs(row.amount))}
    tell(
        [row.requested_by],
        f"adjustment:{row.pk}:{row.state}:proposer",
        subject=lambda: str(subject) % values,
        says=[lambda: _what(row), row.reason, row.note],
        path=_path(row),
    )


def _rows() -> QuerySet[Adjustment]:
    return Adjustment.objects.select_related(
        "account", "charge__credit", "charge__debit", "requested_by", "decided_by"
    )


def _propose(row: Adjustment, actor: User, reason: str, key: str) -> Adjustment:
    row.pk = uuid5(NAMESPACE, f"adjustment:{actor.pk}:{key}") if key else uuid4()
    row.reason, row.requested_by, row.requested_at = reason_of(reason), actor, now()
    with transaction.atomic():
        _lock(row)  # what is left, and the day's sum, are read once at a time
        if (earlier := _rows().filter(pk=row.pk).first()) is not None:
            same_again(earlier, row, "account_id", "charge_id", "amount", "reason")
            return again(earlier)
        if row.charge is not None and row.amount > charge_for(actor, row.charge.pk).left:
            raise Conflict(_("A refund is at most what is left of the charge."))
        _must_be_there(row)
        alone = abs(row.amount) + _booked_alone(row) <= _limit()
        row.save(force_insert=True)
        if alone:
            _book(row, actor)
        else:
            _tell_operators(row)
    return row


def _lock(row: Adjustment) -> None:
    if row.charge is not None:
        lock_charge(row.charge)
    else:
        ledger.lock(row.account, system_account("writeoff"))


def _must_be_there(row: Adjustment) -> None:
    """Raises InsufficientCredit when the account could not give this now."""
    account = Account.objects.get(pk=row.account_id)
    if row.amount < 0 and account.available < -row.amount:
        raise insufficient(account, -row.amount)


def _must_be_left(row: Adjustment) -> None:
    """Raises Conflict when a correction came before a refund that waited."""
    left = row.charge.amount - refunded_of(row.charge) if row.charge else row.amount
    if row.amount > left:
        text = _("Only %(left)s credits are left of the charge by now. Refuse this proposal.")
        raise Conflict(text % {"left": money.show(left)}, left=money.credits(left))


def _limit() -> int:
    return money.micro(str(settings.ADJUSTMENT_APPROVAL_LIMIT))


def _booked_alone(row: Adjustment) -> int:
    """What the proposer booked on the account within a day without a second person."""
    own = Adjustment.objects.filter(
        Q(decided_by=F("requested_by")),
        account=row.account,
        requested_by=row.requested_by,
        state=AdjustmentState.BOOKED,
        requested_at__gt=now() - DAY,
    )
    return own.aggregate(sum=Sum(Abs("amount")))["sum"] or 0


def _pending(adjustment: Adjustment) -> Adjustment:
    rows = Adjustment.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "account", "charge__credit", "charge__debit", "charge__pending", "requested_by"
    )
    row = rows.get(pk=adjustment.pk)
    if row.state != AdjustmentState.PENDING:
        raise Conflict(_("This is decided already."))
    return row


def _must_be_second(actor: User, row: Adjustment) -> None:
    if not may_approve(actor, row):
        raise Forbidden(_("A second operator decides, not who proposed it."))


def _book(row: Adjustment, actor: User) -> None:
    transfer_id = uuid5(NAMESPACE, f"adjustment:{row.pk}")
    if row.charge is not None:
        row.transfer = give_back(
            charge=row.charge, amount=row.amount, id=transfer_id, actor=actor, reason=row.reason
        )
    else:
        row.transfer = _adjust(row, actor, transfer_id)
    _close(row, AdjustmentState.BOOKED, actor)
    _tell_holders(row, actor)


def _adjust(row: Adjustment, actor: User, transfer_id: UUID) -> Transfer:
    other = system_account("writeoff")
    debit, credit = (other, row.account) if row.amount > 0 else (row.account, other)
    transfer, _new = ledger.post(
        id=transfer_id,
        phase=Phase.SINGLE,
        kind=TransferKind.ADJUST,
        debit=debit,
        credit=credit,
        amount=abs(row.amount),
        actor=f"user:{actor.pk}",
        reason=row.reason,
    )
    return transfer


def _close(row: Adjustment, state: AdjustmentState, actor: User) -> None:
    row.state, row.decided_by, row.decided_at = state, actor, now()
    row.save(update_fields=("state", "decided_by", "decided_at", "note", "transfer"))


def _tell_operators(row: Adjustment) -> None:
    values = {"name": row.requested_by.display_name, "amount": money.show(row.amount)}
    tell(
        operators().exclude(pk=row.requested_by_id),
        f"adjustment:{row.pk}:proposed",
        subject=lambda: _("%(name)s proposes %(amount)s credits: your approval is needed") % values,
        says=[lambda: _what(row), row.reason],
        path=_path(row),
    )


def _tell_holders(row: Adjustment, actor: User) -> None:
    """Whose account it is, who paid, and who gives."""
    people = set(answerable_for(row.account))
    if row.charge is not None:
        people |= set(User.objects.filter(pk=member_of(row.charge) or 0))
    if row.account.kind == AccountKind.PROVIDER:
        owner = directory().owner_of(int(row.account.code.removeprefix("provider:")))
        people |= {owner} if owner else set()
    values = {"amount": money.show(abs(row.amount)), "account": row.account}
    subject = (
        gettext_lazy("%(amount)s credits came back to %(account)s")
        if row.amount > 0
        else gettext_lazy("%(amount)s credits were taken from %(account)s")
    )
    tell(
        people - {actor},
        f"adjustment:{row.pk}:booked",
        subject=lambda: subject % values,
        says=[lambda: _what(row), row.reason],
        path=reverse("pages:account_requests", args=[row.account_id]),
    )


def _what(row: Adjustment) -> str:
    return about(row.charge) if row.charge is not None else str(row.account)


def _path(row: Adjustment) -> str:
    if row.charge_id is not None:
        return reverse("pages:charge", args=[row.charge_id])
    return reverse("pages:operator_requests") + "?tab=approvals"
