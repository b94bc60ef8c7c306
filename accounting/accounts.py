"""The accounts of users, groups, providers and the system; their status and credit limit."""

from __future__ import annotations

from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from accounting.ledger import broken_rule
from accounting.models import Account, AccountKind, AccountStatus
from accounting.models.ledger import MOST
from common.errors import Conflict, Forbidden, InvalidInput
from people.access import is_operator
from people.models import Group, User

_SYSTEM_NAMES = {
    "issue": _("issued by the portal"),
    "expired": _("expired"),
    "writeoff": _("written off"),
}


def user_account(user: User) -> Account:
    """The user's own account, opened on first use."""
    return _account(f"user:{user.pk}", AccountKind.USER, user.display_name, user=user)


def group_account(group: Group) -> Account:
    """The account that the group's members share, opened on first use."""
    return _account(f"group:{group.pk}", AccountKind.GROUP, group.name, group=group)


def provider_account(provider_id: int, name: str = "") -> Account:
    """Where a provider's income goes, opened on first use."""
    return _account(f"provider:{provider_id}", AccountKind.PROVIDER, name)


def system_account(purpose: Literal["issue", "expired", "writeoff"]) -> Account:
    """The other side of what comes from and goes out of the circle of users; has no limit."""
    name = str(_SYSTEM_NAMES[purpose])
    return _account(f"system:{purpose}", AccountKind.SYSTEM, name, floor=None)


def set_status(*, actor: User, account: Account, status: AccountStatus) -> Account:
    """Freeze, close or open an account. A frozen one receives, a closed one is empty.

    Raises Forbidden unless the actor is an operator, Conflict when there is credit or a hold on an
    account to be closed.
    """
    _must_be_operator(actor)
    return _change(account, status=status)


def set_credit_limit(*, actor: User, account: Account, limit: int) -> Account:
    """Let the account go `limit` micro-credits below zero; 0 takes the credit back.

    What is below the new limit already stays owed, and nothing more can be spent until it is paid.
    Raises Forbidden unless the actor is an operator, InvalidInput for a negative limit and for
    system accounts, which have none.
    """
    _must_be_operator(actor)
    if not 0 <= limit <= MOST:
        raise InvalidInput(_("The credit limit cannot be negative."), locator="limit")
    if account.kind == AccountKind.SYSTEM:
        raise InvalidInput(_("System accounts have no limit."), locator="account")
    below = Greatest(Value(0), Value(-limit) - F("posted") + F("held"))
    return _change(account, floor=-limit, overrun=below)


def _account(code: str, kind: AccountKind, name: str, **fields: Any) -> Account:
    defaults = {"kind": kind, "name": name, **fields}
    account, created = Account.objects.get_or_create(code=code, defaults=defaults)
    if not created and name and account.name != name:
        Account.objects.filter(pk=account.pk).update(name=name)
        account.name = name
    return account


def _must_be_operator(actor: User) -> None:
    if not is_operator(actor):
        raise Forbidden(_("Only operators may do this."))


def _change(account: Account, **fields: Any) -> Account:
    try:
        with transaction.atomic():
            Account.objects.filter(pk=account.pk).update(**fields)
    except IntegrityError as error:
        if broken_rule(error) == "acc_closed_empty":
            raise Conflict(_("Only an empty account can be closed.")) from error
        raise
    account.refresh_from_db()
    return account
