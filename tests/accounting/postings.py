"""Credit in and out, straight through the ledger."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from accounting.accounts import system_account
from accounting.ledger import post
from accounting.models import Account, Phase, Transfer, TransferKind

START = datetime(2024, 1, 10, 12, tzinfo=UTC)


def book(account: Account, amount: int, **given: object) -> Transfer:
    """Micro-credits in (+) or out (-)."""
    issue = system_account("issue")
    debit, credit = (issue, account) if amount > 0 else (account, issue)
    booked, _new = post(
        id=uuid.uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.GRANT if amount > 0 else TransferKind.TRANSFER,
        debit=debit,
        credit=credit,
        amount=abs(amount),
        **given,
    )
    return booked
