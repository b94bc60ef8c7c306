"""One limit for all members of a group."""

from __future__ import annotations

from django.db import transaction

from accounting.accounts import group_account
from accounting.credit.transfers import set_cap
from accounting.ledger import lock
from people.models import Group, User
from people.selectors import members_of


def set_caps(*, actor: User, group: Group, limit: int | None, period: str) -> int:
    """Set every present member's limit, or lift it (None); all or none. Returns how many members.

    Members who join later have none. Raises as `credit.set_cap` does.
    """
    with transaction.atomic():
        lock(group_account(group))
        members = [membership.user for membership in members_of(group)]
        for member in members:
            set_cap(actor=actor, group=group, member=member, limit=limit, period=period)
    return len(members)
