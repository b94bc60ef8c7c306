"""One account with a long history: `python -m bench._ledger_history <entries>`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 (Django's models need it set up)

from accounting.accounts import provider_account, system_account  # noqa: E402
from accounting.check import findings  # noqa: E402
from accounting.ledger import post  # noqa: E402
from accounting.models import Account, Phase, TransferKind  # noqa: E402
from accounting.statements.lines import statement  # noqa: E402

FILL = (
    "CREATE TEMP TABLE made ON COMMIT DROP AS SELECT n, gen_random_uuid() AS hold,"
    " gen_random_uuid() AS charge, now() - (%(entries)s + 1 - n) * interval '1 minute' AS held_at"
    " FROM generate_series(1, %(entries)s) AS n",
    "INSERT INTO acc_transfer (id, phase, kind, debit_id, credit_id, amount, pending_id,"
    " overrun_ok, fingerprint, actor, reason, reference, effective_at, created_at)"
    " SELECT hold, 'pending', 'HOLD', %(payer)s, %(payee)s, 2, NULL, false, repeat('0', 64), '',"
    " '', '', held_at, held_at FROM made UNION ALL"
    " SELECT charge, 'post', 'CHARGE', %(payer)s, %(payee)s, 1, hold, false, repeat('0', 64), '',"
    " '', '', charged_at, charged_at"
    " FROM made, LATERAL (SELECT held_at + interval '1 second' AS charged_at) AS later",
    "INSERT INTO acc_entry (transfer_id, account_id, amount, balance_after, version)"
    " SELECT charge, id, sign, posted + n * sign, version + n"
    " FROM made, acc_account, LATERAL (SELECT CASE id WHEN %(payer)s THEN -1 ELSE 1 END) AS s(sign)"
    " WHERE id IN (%(payer)s, %(payee)s) ORDER BY n",
    "UPDATE acc_account SET version = version + %(entries)s,"
    " posted = posted + CASE id WHEN %(payer)s THEN -%(entries)s ELSE %(entries)s END"
    " WHERE id IN (%(payer)s, %(payee)s)",
)


def main(entries: int) -> None:
    """Answers "ready"; then, for each question on its input, the milliseconds that it took."""
    issue, payee = system_account("issue"), provider_account(10_000)
    account = provider_account(10_001)
    post(
        id=uuid4(),
        phase=Phase.SINGLE,
        kind=TransferKind.GRANT,
        debit=issue,
        credit=account,
        amount=10**10,
    )
    _fill(account, payee, entries)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        # What filling left to be written would be written while the first question is asked.
        cursor.execute("CHECKPOINT")
    deep = _deep(account)
    questions: dict[str, Callable[[], object]] = {
        "balance": lambda: Account.objects.get(pk=account.pk).available,
        "hold": lambda: post(**_hold(account, payee)),
        "statement, first page": lambda: statement(account),
        "statement, deep page": lambda: statement(account, before=deep),
    }
    print("ready", flush=True)
    for line in sys.stdin:
        print(_milliseconds(questions[line.strip()]), flush=True)


def _milliseconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return 1000 * (time.perf_counter() - began)


def _fill(account: Account, payee: Account, entries: int) -> None:
    """Holds and their charges, written as the triggers would one by one; the check agrees."""
    sides = {"payer": account.pk, "payee": payee.pk, "entries": entries}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in FILL:
            cursor.execute(statement, sides)
    assert findings() == []


def _hold(account: Account, payee: Account) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "phase": Phase.PENDING,
        "kind": TransferKind.HOLD,
        "debit": account,
        "credit": payee,
        "amount": 2,
    }


def _deep(account: Account) -> str:
    """The eleventh page."""
    older = ""
    for _ in range(10):
        older = statement(account, before=older or None).older
    return older


if __name__ == "__main__":
    main(int(sys.argv[1]))
