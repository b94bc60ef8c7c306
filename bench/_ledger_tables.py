"""The accounts of the ledger benchmark, and the tables of the plain ledger beside it."""

from __future__ import annotations

from uuid import uuid4

import django

django.setup()

from django.db import connection  # noqa: E402 (Django's models need it set up)

from accounting.accounts import provider_account, system_account  # noqa: E402
from accounting.ledger import post  # noqa: E402
from accounting.models import Phase, TransferKind  # noqa: E402
from bench._ledger_client import PAIRS  # noqa: E402
from bench._ledger_plain import PLAIN, PlainAccount  # noqa: E402

RICH = 10**10


def main() -> None:
    """Prints the id of the first of the accounts: they are numbered without a gap."""
    with connection.schema_editor() as editor:
        for model in PLAIN:
            editor.create_model(model)
    PlainAccount.objects.bulk_create(
        PlainAccount(code=f"provider:{number}", kind="PROVIDER", posted=RICH)
        for number in range(1, 2 * PAIRS + 1)
    )
    issue = system_account("issue")
    accounts = [provider_account(number) for number in range(1, 2 * PAIRS + 1)]
    for account in accounts[::2]:
        post(
            id=uuid4(),
            phase=Phase.SINGLE,
            kind=TransferKind.GRANT,
            debit=issue,
            credit=account,
            amount=RICH,
        )
    assert accounts[-1].pk == accounts[0].pk + 2 * PAIRS - 1
    print(accounts[0].pk)


if __name__ == "__main__":
    main()
