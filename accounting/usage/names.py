"""Whom the names in a provider's records mean: said by operators, since accounts are charged."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounting.accounts import name_of
from accounting.models import Account, AccountKind, UsageName
from common.errors import Conflict, Forbidden, InvalidInput
from common.xml import text_ok
from people.access import is_operator
from people.models import User

LONGEST = 255
PAYING = (AccountKind.USER, AccountKind.GROUP)


def usage_names() -> QuerySet[UsageName]:
    """Every name with its account, by provider."""
    return UsageName.objects.select_related("account").order_by("provider_id", "kind", "name")


def add_name(*, actor: User, provider_id: int, kind: str, name: str, account: Account) -> UsageName:
    """Let the account pay for what the provider reports under this name (kind: user or group).

    What waits for the name is charged by the next rematching. Raises Forbidden for anybody but
    operators, InvalidInput, and Conflict for a name that has an account.
    """
    _must_operate(actor)
    name = name.strip()
    if not name or len(name) > LONGEST or not text_ok(name):
        raise InvalidInput(_("This must be text of 1 to 255 characters."), locator="name")
    if kind not in ("user", "group"):
        raise InvalidInput(_("This must be user or group."), locator="kind")
    if account.kind not in PAYING:
        raise InvalidInput(_("Only people and groups pay for usage."), locator="account")
    try:
        with transaction.atomic():
            return UsageName.objects.create(
                provider_id=provider_id,
                kind=kind,
                name=name,
                account=account,
                created_by=name_of(actor),
            )
    except IntegrityError:
        raise Conflict(_("This name has an account already; remove it first.")) from None


def remove_name(*, actor: User, row: UsageName) -> None:
    """Nobody pays for the name any more; what was charged stays. Raises Forbidden."""
    _must_operate(actor)
    row.delete()


def _must_operate(actor: User) -> None:
    if not is_operator(actor):
        raise Forbidden(_("Only operators say who pays for usage."))
