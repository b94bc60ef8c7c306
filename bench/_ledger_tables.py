"""The accounts of the ledger benchmark, and the tables of the plain ledger beside it."""

from __future__ import annotations

from uuid import uuid4

import django

django.setup()

from django.db import connection  # noqa: E402 (Django's models need it set up)

from accounting.accounts import system_account  # noqa: E402
from accounting.ledger import post  # noqa: E402
from accounting.models import Phase, TransferKind  # noqa: E402
from bench._ledger_client import PLAIN, PlainAccount, payee, payer  # noqa: E402

RICH = 10**12


def main() -> None:
    with connection.schema_editor() as editor:
        for model in PLAIN:
            editor.create_model(model)
    PlainAccount.objects.bulk_create(PlainAccount(balance=RICH) for _ in range(2))
    post(
        id=uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.GRANT,
        debit=system_account("issue"),
        credit=payer,
        amount=RICH,
    )
    print(payer.pk, payee.pk)


if __name__ == "__main__":
    main()
