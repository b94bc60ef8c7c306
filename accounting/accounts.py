"""The accounts of users, groups, providers and the system; their status and credit limit."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import F, TextChoices, Value
from django.db.models.functions import Greatest
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from accounting.inputs import reason_of
from accounting.ledger import broken_rule, lock
from accounting.models import (
    Account,
    AccountChange,
    AccountKind,
    AccountStatus,
    OverrunPolicy,
)
from accounting.models.ledger import MOST
from common.clock import now
from common.errors import Conflict, Forbidden, InvalidInput
from common.prepared import Prepared
from people.access import is_operator, membership
from people.models import Group, Role, User

Choice = TypeVar("Choice", bound=TextChoices)

# Sent after an account that was not open was opened, with `account`: what waited for it is settled.
opened = Signal()

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


def known_provider_account(provider_id: int, name: str) -> Account | None:
    """That account, if it is there and has this name."""
    account = _ACCOUNT.one(f"provider:{provider_id}")
    return account if account is not None and account.name == name else None


def system_account(purpose: Literal["issue", "expired", "writeoff"]) -> Account:
    """The other side of what comes from and goes out of the circle of users; has no limit."""
    name = str(_SYSTEM_NAMES[purpose])
    return _account(f"system:{purpose}", AccountKind.SYSTEM, name, floor=None)


def set_status(*, actor: User, account: Account, status: str, reason: str) -> Account:
    """Freeze, close or open an account. A frozen one receives, a closed one is empty.

    What could not be charged or given back since it was not open is settled when it is.
    Administrators freeze and open the account of their group; what an operator froze, and what is
    closed, is an operator's to open. Raises Forbidden, InvalidInput for no reason, Conflict when
    there is credit or a hold on an account to be closed.
    """
    must_manage(actor, account)
    wanted = _one_of(AccountStatus, status, "status")
    with transaction.atomic():
        before = _locked(account).status
        if AccountStatus.CLOSED in (wanted, before) or _frozen_by_operator(account, before):
            _must_be_operator(actor)
        changed = _change(account, status=wanted)
        by = "operator" if is_operator(actor) else "administrator"
        record(account, actor, "status", before, {"status": wanted, "by": by}, reason)
    if wanted == AccountStatus.OPEN != before:
        opened.send(sender=Account, account=changed)  # bills are locked before accounts: not above
        changed.refresh_from_db()
    return changed


def set_credit_limit(*, actor: User, account: Account, limit: int, reason: str) -> Account:
    """Let the account go `limit` micro-credits below zero; 0 takes the credit back.

    What is below the new limit already stays owed, and nothing more can be spent until it is paid.
    Raises Forbidden unless the actor is an operator, InvalidInput for no reason, for a negative
    limit, and for system accounts, which have none.
    """
    _must_be_operator(actor)
    if not isinstance(limit, int) or not 0 <= limit <= MOST:
        raise InvalidInput(_("The credit limit cannot be negative."), locator="limit")
    if account.kind == AccountKind.SYSTEM:
        raise InvalidInput(_("System accounts have no limit."), locator="account")
    below = Greatest(Value(0), Value(-limit) - F("posted") + F("held"))
    with transaction.atomic():
        before = -(_locked(account).floor or 0)
        changed = _change(account, floor=-limit, overrun=below)
        record(account, actor, "credit_limit", before, limit, reason)
    return changed


def set_overrun_policy(*, actor: User, account: Account, policy: str, reason: str) -> Account:
    """How far charges may go above what was held; for jobs that are submitted from now on.

    Owners and administrators choose among what the balance covers, operators may let it become a
    debt. Raises Forbidden, InvalidInput.
    """
    must_configure(actor, account)
    wanted = _one_of(OverrunPolicy, policy, "policy")
    if wanted == OverrunPolicy.DEBT:
        _must_be_operator(actor)
    with transaction.atomic():
        before = _locked(account).overrun_policy
        changed = _change(account, overrun_policy=wanted)
        record(account, actor, "overrun_policy", before, wanted, reason)
    return changed


def record(
    account: Account, actor: User, what: str, before: object, after: object, reason: str
) -> AccountChange:
    """Keep who changed a rule of the account, and why, in the caller's transaction.

    Raises InvalidInput for no reason or one that cannot be stored.
    """
    return AccountChange.objects.create(
        account=account,
        actor=name_of(actor),
        at=now(),
        what=what,
        before=before,
        after=after,
        reason=reason_of(reason),
    )


def must_manage(actor: User, account: Account) -> None:
    """Raises Forbidden unless the actor administers the account's group or operates the portal."""
    if not is_operator(actor) and not _administers(actor, account):
        raise Forbidden(_("Only the group's administrators may do this."))


def must_configure(actor: User, account: Account) -> None:
    """Raises Forbidden unless the account is the actor's own or the actor manages it."""
    if account.user_id != actor.pk:
        must_manage(actor, account)


def name_of(actor: User) -> str:
    """How the books name a person."""
    return f"user:{actor.pk}"


def _account(code: str, kind: AccountKind, name: str, **fields: Any) -> Account:
    account = _ACCOUNT.one(code)
    if account is None:
        defaults = {"kind": kind, "name": name, **fields}
        account, _created = Account.objects.get_or_create(code=code, defaults=defaults)
    if name and account.name != name:
        Account.objects.filter(pk=account.pk).update(name=name)
        account.name = name
    return account


_ACCOUNT = Prepared(lambda code: Account.objects.filter(code=code), str)


def _administers(actor: User, account: Account) -> bool:
    own = membership(actor, account.group) if account.group is not None else None
    return own is not None and own.role == Role.ADMIN


def _frozen_by_operator(account: Account, status: str) -> bool:
    """Also when nobody knows who froze it."""
    if status != AccountStatus.FROZEN:
        return False
    latest = AccountChange.objects.filter(account=account, what="status").first()
    return latest is None or (latest.after or {}).get("by") != "administrator"


def _one_of(choices: type[Choice], value: str, locator: str) -> Choice:
    try:
        return choices(value)
    except ValueError:
        known = ", ".join(choices.values)
        text = _("Choose from %(known)s.") % {"known": known}
        raise InvalidInput(text, locator=locator) from None


def _locked(account: Account) -> Account:
    lock(account)
    return Account.objects.get(pk=account.pk)


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
