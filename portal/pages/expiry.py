"""What of an account's credit ends soon, for its pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from accounting.credit.lots import remaining, sum_until
from accounting.models import Account
from common.clock import now

DATES = 5  # that are listed
SOON = timedelta(days=30)


def expiry_of(account: Account) -> dict[str, Any]:
    """For credit/lots.html: the first dates, how many more there are, the sum that ends soon."""
    lots, at = remaining(account), now()
    return {
        "lots": lots[:DATES],
        "more_lots": max(0, len(lots) - DATES),
        "soon": sum_until(lots, at + SOON),
        "now": at,
    }
