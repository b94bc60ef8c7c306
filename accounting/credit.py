"""Credit by hand: issued by operators, passed on within groups, capped per member."""

from __future__ import annotations

from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import F, Sum, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from accounting.accounts import group_account, system_account, user_account
from accounting.ledger import lock, post
from accounting.models import Account, MemberCap, Phase, Transfer, TransferKind
from accounting.models.ledger import MOST
from common import money
from common.errors import Conflict, Forbidden, InvalidInput
from people.access import is_operator, membership
from people.models import Group, Role, User

NAMESPACE = UUID("5b0cbe4f-6e0b-5ad1-9f0a-6f5d6a3c8e21")
LONGEST_REASON = 500


def issue_credit(*, actor: User, account: Account, amount: int, reason: str, key: str) -> Transfer:
    """Create `amount` micro-credits on an account. The same `key` again has no second effect.

    Raises Forbidden unless the actor is an operator; InvalidInput; Conflict when the key was used
    for something else or the account is closed.
    """
    if not is_operator(actor):
        raise Forbidden(_("Only operators may issue credit."))
    transfer, _new = post(
        id=_transfer_id("issue", actor, key),
        phase=Phase.SINGLE,
        kind=TransferKind.GRANT,
        debit=system_account("issue"),
        credit=account,
        amount=_positive(amount),
        actor=_name_of(actor),
        reason=_reason(reason),
    )
    return transfer


def grant_to_member(
    *, actor: User, group: Group, member: User, amount: int, reason: str, key: str
) -> Transfer:
    """Move credit from the group's account to a member's own. The same `key` has no second effect.

    Raises Forbidden unless the actor administers the group, InvalidInput, InsufficientCredit.
    """
    _must_administer(actor, group)
    if membership(member, group) is None:
        raise InvalidInput(_("This user is not a member of the group."), locator="member")
    transfer, _new = post(
        id=_transfer_id(f"grant:{group.pk}", actor, key),
        phase=Phase.SINGLE,
        kind=TransferKind.TRANSFER,
        debit=group_account(group),
        credit=user_account(member),
        amount=_positive(amount),
        actor=_name_of(actor),
        reason=_reason(reason),
    )
    return transfer


def take_back(
    *, actor: User, group: Group, member: User, amount: int, reason: str, key: str
) -> Transfer:
    """Move credit that the group gave from the member's account back. Former members included.

    Raises Forbidden unless the actor administers the group, InvalidInput, Conflict for more than
    the group gave and has not taken back, InsufficientCredit for more than is left.
    """
    _must_administer(actor, group)
    own, shared = user_account(member), group_account(group)
    transfer_id = _transfer_id(f"take-back:{group.pk}", actor, key)
    with transaction.atomic():
        lock(own, shared)
        if not Transfer.objects.filter(pk=transfer_id).exists():
            _must_be_given(amount, own, shared)
        transfer, _new = post(
            id=transfer_id,
            phase=Phase.SINGLE,
            kind=TransferKind.TRANSFER,
            debit=own,
            credit=shared,
            amount=_positive(amount),
            actor=_name_of(actor),
            reason=_reason(reason),
        )
    return transfer


def given(*, group: Group, member: User) -> int:
    """Micro-credits that the group gave the member and has not taken back."""
    return _given(user_account(member), group_account(group))


def set_cap(*, actor: User, group: Group, member: User, limit: int | None) -> MemberCap | None:
    """Limit what a member may spend from the group's account, in all; None lifts the limit.

    What the member spent and holds already counts. A limit below it stops further spending.
    Raises Forbidden unless the actor administers the group, InvalidInput.
    """
    _must_administer(actor, group)
    account = group_account(group)
    caps = MemberCap.objects.filter(account=account, member_id=member.pk)
    if limit is None:
        caps.delete()
        return None
    if not isinstance(limit, int) or not 0 <= limit <= MOST:
        raise InvalidInput(_("The limit cannot be negative."), locator="limit")
    if membership(member, group) is None:
        raise InvalidInput(_("This user is not a member of the group."), locator="member")
    above = Greatest(Value(0), F("used") + F("held") - Value(limit))
    with transaction.atomic():
        lock(account)
        if not caps.update(limit_amount=limit, overrun=above):
            MemberCap.objects.create(account=account, member_id=member.pk, limit_amount=limit)
        return caps.get()


def _transfer_id(purpose: str, actor: User, key: str) -> UUID:
    if not key:
        raise InvalidInput(_("A key is needed, so that a repeated request has no second effect."))
    return uuid5(NAMESPACE, f"{purpose}:{actor.pk}:{key}")


def _name_of(actor: User) -> str:
    return f"user:{actor.pk}"


def _must_administer(actor: User, group: Group) -> None:
    own = membership(actor, group)
    if not is_operator(actor) and (own is None or own.role != Role.ADMIN):
        raise Forbidden(_("Only the group's administrators may do this."))


def _must_be_given(amount: int, own: Account, shared: Account) -> None:
    most = _given(own, shared)
    if amount > most:
        text = _("The group can take back at most %(most)s credits.") % {"most": money.show(most)}
        raise Conflict(text, most=money.credits(most))


def _given(own: Account, shared: Account) -> int:
    moved = Transfer.objects.filter(kind=TransferKind.TRANSFER, phase=Phase.SINGLE)
    there = moved.filter(debit=shared, credit=own).aggregate(sum=Sum("amount"))["sum"] or 0
    back = moved.filter(debit=own, credit=shared).aggregate(sum=Sum("amount"))["sum"] or 0
    return max(0, there - back)


def _positive(amount: int) -> int:
    if not isinstance(amount, int) or not 0 < amount <= MOST:
        raise InvalidInput(_("The amount must be positive."), locator="amount")
    return amount


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise InvalidInput(_("Say why."), locator="reason", missing=True)
    if (
        len(reason) > LONGEST_REASON
        or not reason.replace("\n", " ").replace("\r", " ").isprintable()
    ):
        raise InvalidInput(_("The reason is too long or has control characters."), locator="reason")
    return reason
