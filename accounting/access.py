"""Who may see, spend from, and manage an account."""

from __future__ import annotations

from typing import Literal

from django.utils.translation import gettext_lazy as _

from accounting.models import Account, AccountKind, AccountStatus
from common.errors import Forbidden, NotFound
from common.prepared import Prepared
from people.access import is_operator, membership
from people.models import Role, User

Right = Literal["view", "pay", "configure", "manage"]
_ACCOUNT = Prepared(lambda pk: Account.objects.select_related("group").filter(pk=pk), int)


def account_for(user: User, account_id: int, right: Right) -> Account:
    """The account, if the user has the right on it.

    view: its owner, members of its group, operators. pay: its owner or members, while it is open.
    manage: administrators of its group, operators. configure: these, and its owner. Raises
    NotFound where the user may not even view it, else Forbidden.
    """
    account = _ACCOUNT.one(account_id)
    if account is None:
        raise NotFound
    role = _role(user, account)
    operator = is_operator(user)
    if role is None and not operator:
        raise NotFound
    allowed = (Role.ADMIN, "owner") if right == "configure" else (Role.ADMIN,)
    if right in ("manage", "configure") and role not in allowed and not operator:
        raise Forbidden(_("Only the group's administrators may do this."))
    if right == "pay":
        _must_pay(role, account)
    return account


def payable(user: User, account: Account) -> Account:
    """The account, if the user may pay from it: raises as `account_for`, which is not asked for
    what `selectors.payable_accounts` gave."""
    if account.payable_by == user.pk:
        return account
    return account_for(user, account.pk, "pay")


def lines_of(user: User, account: Account) -> int | None:
    """The member whose lines alone the user may see on the account's statement; None: all lines.

    For a user who may view the account.
    """
    own = account.kind == AccountKind.USER or _role(user, account) == Role.ADMIN
    return None if own or is_operator(user) else user.pk


def _role(user: User, account: Account) -> str | None:
    if account.user_id is not None:
        return "owner" if account.user_id == user.pk else None
    if account.group is not None:
        own = membership(user, account.group)
        return own.role if own else None
    return None


def _must_pay(role: str | None, account: Account) -> None:
    if role is None:
        raise Forbidden(_("You may not pay from this account."))
    if account.status != AccountStatus.OPEN:
        status = AccountStatus(account.status).label
        raise Forbidden(_("The account is %(status)s.") % {"status": status})
