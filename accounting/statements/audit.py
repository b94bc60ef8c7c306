"""What must hold of closed statements and seals, for `check_ledger`."""

from __future__ import annotations

from collections.abc import Iterator

from accounting.models import Account
from accounting.requests.questions import Question
from accounting.statements.seals import verify

STATEMENTS = (
    Question(
        "Account {account_id}: the statement of {month} is not what its entries add up to.",
        """SELECT s.account_id, s.month
             FROM acc_statement s
             LEFT JOIN acc_entry e ON e.account_id = s.account_id
                                  AND e.version BETWEEN s.first_version AND s.last_version
            GROUP BY s.id, s.account_id, s.month, s.credits, s.debits,
                     s.first_version, s.last_version
           HAVING count(e.id) <> s.last_version - s.first_version + 1
               OR coalesce(sum(CASE WHEN e.amount > 0 THEN e.amount END), 0) <> s.credits
               OR coalesce(sum(CASE WHEN e.amount < 0 THEN -e.amount END), 0) <> s.debits""",
    ),
    Question(
        "Account {account_id}: the statement of {month} does not follow the one before it.",
        """SELECT account_id, month
             FROM (SELECT account_id, month, opening, first_version,
                          coalesce(lag(closing) OVER w, 0) AS closed,
                          coalesce(lag(last_version) OVER w, 0) AS version
                     FROM acc_statement
                   WINDOW w AS (PARTITION BY account_id ORDER BY month)) run
            WHERE opening <> closed OR first_version <> version + 1""",
    ),
    Question(
        "Account {account_id}: the seal of the statement of {month} does not cover it.",
        """SELECT s.account_id, s.month
             FROM acc_statement s LEFT JOIN acc_seal c ON c.id = s.seal_id
            WHERE s.last_version > 0
              AND (c.id IS NULL OR c.account_id <> s.account_id
                   OR s.last_version NOT BETWEEN c.from_version AND c.to_version)""",
    ),
)


def broken_seals() -> Iterator[str]:
    """What is wrong with the seals of any account, one sentence each."""
    sealed = Account.objects.filter(seals__isnull=False).distinct().order_by("pk")
    for account in sealed:
        yield from verify(account)
