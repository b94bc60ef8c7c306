"""Whether an account covers a price, and if not, what is missing and whom to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounting.models import Account, AccountStatus
from accounting.selectors import cap_of
from people.models import Role

if TYPE_CHECKING:
    from people.models import User


@dataclass(frozen=True, slots=True)
class Coverage:
    """Amounts in micro-credits. `own_limit` is what the member may still spend from a group.

    `administrators` of a group are whom its members ask; where the user is one of them
    (`administers`), or the account is the `own`, the portal's operators decide about more credit.
    """

    available: int
    after: int
    shortfall: int
    own_limit: int | None
    frozen: bool
    own: bool
    administers: bool
    administrators: tuple[str, ...]

    @property
    def covered(self) -> bool:
        return not self.shortfall and not self.frozen

    @property
    def limited(self) -> bool:
        """Whether it is the member's limit and not the account that is too small."""
        return self.own_limit is not None and self.own_limit < self.available


def coverage_of(account: Account, user: User, price: int) -> Coverage:
    """What the account and the user's limit on it leave for this price."""
    cap = cap_of(account, user.pk)
    own_limit = None if cap is None else cap.limit_amount - cap.used - cap.held
    spendable = account.available if own_limit is None else min(account.available, own_limit)
    administrators = _administrators(account)
    return Coverage(
        available=account.available,
        after=account.available - price,
        shortfall=max(0, price - spendable),
        own_limit=own_limit,
        frozen=account.status != AccountStatus.OPEN,
        own=account.user_id == user.pk,
        administers=user in administrators,
        administrators=tuple(one.display_name for one in administrators),
    )


def _administrators(account: Account) -> list[User]:
    if account.group is None:
        return []
    admins = account.group.memberships.filter(role=Role.ADMIN).select_related("user")
    return [member.user for member in admins]
