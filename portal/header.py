"""What the top bar of every page shows of credit."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache

from accounting.models import Account
from accounting.selectors import days_left, payable_accounts
from people.models import User

HOUR = 3600  # seconds
SOON = 7  # days left from which the balance is marked


@dataclass(frozen=True, slots=True)
class Header:
    """The account that the user will most likely pay from, and how long it lasts."""

    account: Account | None = None
    days_left: int | None = None

    @property
    def low(self) -> bool:
        """Whether the credit ends soon."""
        if self.account is None:
            return False
        return self.account.available <= 0 or (self.days_left is not None and self.days_left < SOON)


def header_of(user: User) -> Header:
    """The user's account with the most available credit: the one that forms propose."""
    account = max(payable_accounts(user), key=lambda a: a.available, default=None)
    if account is None:
        return Header()
    # It adds up a month of charges: not on every page, and an hour changes little of a day count.
    key = f"days_left:{account.pk}"
    known = cache.get(key)
    if known is None:
        known = (days_left(account),)
        cache.set(key, known, HOUR)
    return Header(account, known[0])
