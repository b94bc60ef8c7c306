"""Credit by hand: issued by operators, passed on within groups, capped per member."""

from __future__ import annotations

from uuid import UUID, uuid5

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounting.accounts import group_account, name_of, system_account, user_account
from accounting.credit import caps, lots
from accounting.credit.given import left_of
from accounting.credit.periods import MONTHS
from accounting.inputs import again, positive, reason_of
from accounting.ledger import lock, post
from accounting.models import (
    Account,
    AccountChange,
    AccountKind,
    MemberCap,
    Phase,
    Transfer,
    TransferKind,
)
from accounting.models.ledger import MOST
from common import money
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput
from people.access import is_operator, membership
from people.models import Group, Role, User

NAMESPACE = UUID("5b0cbe4f-6e0b-5ad1-9f0a-6f5d6a3c8e21")


def issue_credit(*, actor: User, account: Account, amount: int, reason: str, key: str) -> Transfer:
    """Create `amount` micro-credits on an account. The same `key` again has no second effect.

    Raises Forbidden unless the actor is an operator; InvalidInput; Conflict when the key was used
    for something else or the account is closed.
    """
    if not is_operator(actor):
        raise Forbidden(_("Only operators may issue credit."))
    if account.kind == AccountKind.SYSTEM:
        raise InvalidInput(_("Credit is issued to users, groups and providers."), locator="account")
    transfer, new = post(
        id=_transfer_id("issue", actor, key),
        phase=Phase.SINGLE,
        kind=TransferKind.GRANT,
        debit=system_account("issue"),
        credit=account,
        amount=positive(amount),
        actor=name_of(actor),
        reason=reason_of(reason),
    )
    return transfer if new else _again(transfer, reason)


def grant_to_member(
    *, actor: User, group: Group, member: User, amount: int, reason: str, key: str
) -> Transfer:
    """Move credit from the group's account to a member's own. The same `key` has no second effect.

    Raises Forbidden unless the actor administers the group, InvalidInput, InsufficientCredit.
    """
    must_administer(actor, group)
    if membership(member, group) is None:
        raise InvalidInput(_("This user is not a member of the group."), locator="member")
    own, shared = user_account(member), group_account(group)
    with transaction.atomic():
        lock(own, shared)
        transfer, new = post(
            id=_transfer_id(f"grant:{group.pk}", actor, key),
            phase=Phase.SINGLE,
            kind=TransferKind.TRANSFER,
            debit=shared,
            credit=own,
            amount=positive(amount),
            actor=name_of(actor),
            reason=reason_of(reason),
        )
        lots.carry(shared, own)
    return transfer if new else _again(transfer, reason)


def take_back(
    *, actor: User, group: Group, member: User, amount: int, reason: str, key: str
) -> Transfer:
    """Move credit that the group gave from the member's account back. Former members included.

    Raises Forbidden unless the actor administers the group, InvalidInput, Conflict for more than
    is left of what the group gave, InsufficientCredit for what is on hold.
    """
    must_administer(actor, group)
    own, shared = user_account(member), group_account(group)
    transfer_id = _transfer_id(f"take-back:{group.pk}", actor, key)
    with transaction.atomic():
        lock(own, shared)
        if not Transfer.objects.filter(pk=transfer_id).exists():
            lots.carry(shared, own)
            _must_be_given(amount, own, shared)
        transfer, new = post(
            id=transfer_id,
            phase=Phase.SINGLE,
            kind=TransferKind.TRANSFER,
            debit=own,
            credit=shared,
            amount=positive(amount),
            actor=name_of(actor),
            reason=reason_of(reason),
        )
        lots.carry(own, shared)
    return transfer if new else _again(transfer, reason)


def given(*, group: Group, member: User) -> int:
    """Micro-credits that the group gave, and that were not spent, taken back or expired."""
    own, shared = user_account(member), group_account(group)
    lots.carry(shared, own)
    return left_of(own, shared)


def set_cap(
    *, actor: User, group: Group, member: User, limit: int | None, period: str | None = None
) -> MemberCap | None:
    """Limit what a member may spend from the group's account; None lifts the limit.

    `limit` is in micro-credits in each `period`: MONTH, QUARTER, YEAR (of the calendar, in UTC), or
    "" for all time; None leaves the period as it is. What the member spent and holds already in the
    present period counts. A limit below it stops further spending.
    Raises Forbidden unless the actor administers the group, InvalidInput.
    """
    must_administer(actor, group)
    account = group_account(group)
    if limit is not None:
        _must_be_possible(limit, period)
        if membership(member, group) is None:
            raise InvalidInput(_("This user is not a member of the group."), locator="member")
    with transaction.atomic():
        lock(account)
        before = caps.cap_of(account, member.pk)
        cap = None
        if limit is None:
            MemberCap.objects.filter(account=account, member_id=member.pk).delete()
        else:
            kept = before.period if before else ""
            cap = caps.begin(account, member.pk, limit, kept if period is None else period)
        told = _told(before, member), _told(cap, member)
        if told[0] != told[1]:
            AccountChange.objects.create(
                account=account,
                actor=name_of(actor),
                at=now(),
                what="cap",
                before=told[0],
                after=told[1],
            )
    return cap


def _must_be_possible(limit: int, period: str | None) -> None:
    if not isinstance(limit, int) or not 0 <= limit <= MOST:
        raise InvalidInput(_("The limit cannot be negative."), locator="limit")
    if period and period not in MONTHS:
        raise InvalidInput(
            _("A limit is for a month, a quarter, a year or all time."), locator="period"
        )


def _told(cap: MemberCap | None, member: User) -> dict[str, object]:
    if cap is None:
        return {"member": member.pk, "limit": None}
    return {"member": member.pk, "limit": cap.limit_amount, "period": cap.period}


def _transfer_id(purpose: str, actor: User, key: str) -> UUID:
    if not key:
        raise InvalidInput(_("A key is needed, so that a repeated request has no second effect."))
    return uuid5(NAMESPACE, f"{purpose}:{actor.pk}:{key}")


def _again(transfer: Transfer, reason: str) -> Transfer:
    """What an earlier request made. The ledger compared all but why: raises Conflict for that."""
    if transfer.reason != reason_of(reason):
        raise Conflict(_("This key was used for something else."))
    return again(transfer)


def must_administer(actor: User, group: Group) -> None:
    """Raises Forbidden unless the actor administers the group or operates the portal."""
    own = membership(actor, group)
    if not is_operator(actor) and (own is None or own.role != Role.ADMIN):
        raise Forbidden(_("Only the group's administrators may do this."))


def _must_be_given(amount: int, own: Account, shared: Account) -> None:
    most = left_of(own, shared)
    if amount > most:
        text = _("The group can take back at most %(most)s credits.") % {"most": money.show(most)}
        raise Conflict(text, most=money.credits(most))
