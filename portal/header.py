"""What the top bar of every page shows of credit."""

from __future__ import annotations

from dataclasses import dataclass

from accounting.models import Account
from accounting.selectors import days_left, payable_accounts
from people.models import User

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
    return Header(account, days_left(account)) if account is not None else Header()
