"""The invariants of the ledger and of bills, asked of the whole database.

Triggers and constraints keep most of them; this finds what somebody changed past those, what a
restored backup lacks, and mistakes in what is built on the ledger. Each question is one statement,
so that it sees one moment and raises no false alarm while the portal works.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from common import money

MOST_PER_QUESTION = 20


@dataclass(frozen=True, slots=True)
class Question:
    """Rows of `sql` break an invariant; `finding` tells one. Columns *_credits are amounts."""

    finding: str
    sql: str


LEDGER = (
    Question(
        "Currency {currency}: the balances of all accounts add up to {sum_credits}, not to 0.",
        """SELECT currency, sum(posted) AS sum_credits FROM acc_account
            GROUP BY currency HAVING sum(posted) <> 0""",
    ),
    Question(
        "Transfer {id} of {amount_credits} does not have its two entries.",
        """SELECT t.id, t.amount AS amount_credits
             FROM acc_transfer t LEFT JOIN acc_entry e ON e.transfer_id = t.id
            WHERE t.phase IN ('single', 'post')
            GROUP BY t.id, t.amount, t.debit_id, t.credit_id
           HAVING count(e.id) <> 2
               OR sum(CASE WHEN e.account_id = t.debit_id AND e.amount = -t.amount
                             OR e.account_id = t.credit_id AND e.amount = t.amount
                           THEN 1 ELSE 0 END) <> 2""",
    ),
    Question(
        "Entry {id} belongs to no transfer that moves credit.",
        """SELECT e.id FROM acc_entry e LEFT JOIN acc_transfer t ON t.id = e.transfer_id
            WHERE t.id IS NULL OR t.phase NOT IN ('single', 'post')""",
    ),
    Question(
        "Account {code}: the balance is {posted_credits}, its {entries} entries add up to"
        " {sum_credits} (version {version}).",
        """SELECT a.code, a.posted AS posted_credits, a.version, count(e.id) AS entries,
                  coalesce(sum(e.amount), 0) AS sum_credits
             FROM acc_account a LEFT JOIN acc_entry e ON e.account_id = a.id
            GROUP BY a.id, a.code, a.posted, a.version
           HAVING a.posted <> coalesce(sum(e.amount), 0) OR a.version <> count(e.id)""",
    ),
    Question(
        "Account {account_id}, entry {version}: the running balance {balance_credits} does not"
        " follow from the entries before it.",
        """SELECT account_id, version, balance_after AS balance_credits
             FROM (SELECT account_id, version, balance_after,
                          sum(amount) OVER w AS running, row_number() OVER w AS place
                     FROM acc_entry
                   WINDOW w AS (PARTITION BY account_id ORDER BY version)) run
            WHERE balance_after <> running OR version <> place""",
    ),
    Question(
        "Account {code}: {held_credits} is held, its open holds add up to {sum_credits}.",
        """SELECT a.code, a.held AS held_credits, coalesce(sum(o.amount), 0) AS sum_credits
             FROM acc_account a
             LEFT JOIN (SELECT h.debit_id, h.amount FROM acc_transfer h
                          LEFT JOIN acc_transfer r ON r.pending_id = h.id
                         WHERE h.phase = 'pending' AND r.id IS NULL) o ON o.debit_id = a.id
            GROUP BY a.id, a.code, a.held HAVING a.held <> coalesce(sum(o.amount), 0)""",
    ),
    Question(
        "Account {code}: {available_credits} is available, below the floor {floor_credits} by more"
        " than the authorised {overrun_credits}.",
        """SELECT code, posted - held AS available_credits, floor AS floor_credits,
                  overrun AS overrun_credits
             FROM acc_account WHERE posted - held + overrun < floor""",
    ),
    Question(
        "Account {code} is closed, and not empty.",
        "SELECT code FROM acc_account WHERE status = 'CLOSED' AND (posted <> 0 OR held <> 0)",
    ),
    Question(
        "Transfer {id} does not match the hold that it resolves.",
        """SELECT r.id FROM acc_transfer r LEFT JOIN acc_transfer h ON h.id = r.pending_id
            WHERE r.pending_id IS NOT NULL
              AND (h.id IS NULL OR h.phase <> 'pending' OR r.phase NOT IN ('post', 'void')
                   OR h.debit_id <> r.debit_id OR h.credit_id <> r.credit_id
                   OR (r.phase = 'void' AND r.amount <> h.amount))""",
    ),
    Question(
        "Hold {id} is resolved {times} times.",
        """SELECT pending_id AS id, count(*) AS times FROM acc_transfer
            WHERE pending_id IS NOT NULL GROUP BY pending_id HAVING count(*) > 1""",
    ),
    Question(
        "Charge {id} of {amount_credits} is refunded with {back_credits}, or not backwards.",
        """SELECT t.id, t.amount AS amount_credits, sum(r.amount) AS back_credits
             FROM acc_transfer r JOIN acc_transfer t ON t.id = r.reverses_id
            GROUP BY t.id, t.amount, t.phase, t.debit_id, t.credit_id
           HAVING sum(r.amount) > t.amount OR t.phase NOT IN ('single', 'post')
               OR min(r.debit_id) <> t.credit_id OR max(r.debit_id) <> t.credit_id
               OR min(r.credit_id) <> t.debit_id OR max(r.credit_id) <> t.debit_id""",
    ),
    Question(
        "The limit of member {member_id} on {code}: used {used_credits} and held {held_credits}"
        " are recorded, the transfers add up to {spent_credits} and {kept_credits}.",
        """SELECT c.member_id, a.code, c.used AS used_credits, c.held AS held_credits,
                  coalesce(sum(m.spent), 0) AS spent_credits,
                  coalesce(sum(m.kept), 0) AS kept_credits
             FROM acc_cap c JOIN acc_account a ON a.id = c.account_id
             LEFT JOIN (
               SELECT t.debit_id AS account_id, coalesce(h.member_id, t.member_id) AS member_id,
                      CASE WHEN t.phase IN ('single', 'post') THEN t.amount ELSE 0 END AS spent,
                      CASE WHEN t.phase = 'pending' THEN t.amount
                           ELSE -coalesce(h.amount, 0) END AS kept
                 FROM acc_transfer t LEFT JOIN acc_transfer h ON h.id = t.pending_id
               UNION ALL
               SELECT r.credit_id, coalesce(h.member_id, t.member_id), -r.amount, 0
                 FROM acc_transfer r JOIN acc_transfer t ON t.id = r.reverses_id
                 LEFT JOIN acc_transfer h ON h.id = t.pending_id
             ) m ON m.account_id = c.account_id AND m.member_id = c.member_id
            GROUP BY c.id, c.member_id, a.code, c.used, c.held
           HAVING c.used <> coalesce(sum(m.spent), 0) OR c.held <> coalesce(sum(m.kept), 0)""",
    ),
    Question(
        "Member {member_id} is above the limit on account {account_id} without authorisation.",
        "SELECT member_id, account_id FROM acc_cap WHERE used + held > limit_ + overrun",
    ),
)

BILLS = (
    Question(
        "Job {job_id}: the bill is {state}, and its hold of {amount_credits} is still open.",
        """SELECT b.job_id, b.state, h.amount AS amount_credits
             FROM acc_job_bill b JOIN acc_transfer h ON h.id = b.hold_id
             LEFT JOIN acc_transfer r ON r.pending_id = h.id
            WHERE r.id IS NULL AND b.state NOT IN ('OPEN', 'AWAITING_USAGE')""",
    ),
    Question(
        "Job {job_id}: the bill is {state}, and its hold is resolved or was never placed.",
        """SELECT b.job_id, b.state
             FROM acc_job_bill b LEFT JOIN acc_transfer r ON r.pending_id = b.hold_id
            WHERE b.state IN ('OPEN', 'AWAITING_USAGE') AND (r.id IS NOT NULL OR b.hold_id IS NULL)
        """,
    ),
    Question(
        "Job {job_id}: it is at its end, and its bill is neither settled nor waiting for usage.",
        "SELECT job_id FROM acc_job_bill WHERE state = 'OPEN' AND ended_at IS NOT NULL",
    ),
    Question(
        "Job {job_id}: the hold is not what was quoted, or not on the account that pays.",
        """SELECT b.job_id FROM acc_job_bill b
             JOIN acc_transfer h ON h.id = b.hold_id JOIN acc_quote q ON q.id = b.quote_id
            WHERE h.phase <> 'pending' OR h.debit_id <> b.account_id OR h.amount <> q.total""",
    ),
    Question(
        "Job {reference} has {holds} open holds.",
        """SELECT h.reference, count(*) AS holds
             FROM acc_transfer h LEFT JOIN acc_transfer r ON r.pending_id = h.id
            WHERE h.phase = 'pending' AND h.reference <> '' AND r.id IS NULL
            GROUP BY h.reference HAVING count(*) > 1""",
    ),
    Question(
        "Hold {id} of {amount_credits} for {reference} is open, and no bill knows it.",
        """SELECT h.id, h.amount AS amount_credits, h.reference
             FROM acc_transfer h LEFT JOIN acc_transfer r ON r.pending_id = h.id
             LEFT JOIN acc_job_bill b ON b.hold_id = h.id
            WHERE h.phase = 'pending' AND h.kind = 'HOLD' AND h.reference <> ''
              AND r.id IS NULL AND b.job_id IS NULL""",
    ),
    Question(
        "Job {job_id}: the bill says {charged_credits} charged, the ledger {booked_credits}.",
        """SELECT b.job_id, b.charged AS charged_credits,
                  coalesce(sum(t.amount), 0) AS booked_credits
             FROM acc_job_bill b
             LEFT JOIN (SELECT reference,
                               CASE kind WHEN 'REFUND' THEN -amount ELSE amount END AS amount
                          FROM acc_transfer
                         WHERE kind IN ('CHARGE', 'REFUND') AND phase IN ('single', 'post')
                           AND reference <> '') t ON t.reference = {job_text}
            GROUP BY b.job_id, b.charged HAVING b.charged <> coalesce(sum(t.amount), 0)""",
    ),
    Question(
        "Job {job_id}: {charged_credits} is charged, more than the {total_credits} quoted.",
        """SELECT b.job_id, b.charged AS charged_credits, q.total AS total_credits
             FROM acc_job_bill b JOIN acc_quote q ON q.id = b.quote_id
            WHERE b.charged > q.total""",
    ),
    Question(
        "Job {job_id}: the bill says {used_credits} used, its usage records {cost_credits}.",
        """SELECT b.job_id, b.used AS used_credits, coalesce(sum(u.cost), 0) AS cost_credits
             FROM acc_job_bill b
             LEFT JOIN acc_usage_record u
                    ON u.bill_id = b.job_id AND u.superseded_by_id IS NULL
                   AND u.state <> 'HELD_BACK'
            GROUP BY b.job_id, b.used HAVING b.used <> coalesce(sum(u.cost), 0)""",
    ),
    Question(
        "Usage record {natural_key} is current {times} times: it would be charged more than once.",
        """SELECT natural_key, count(*) AS times FROM acc_usage_record
            WHERE superseded_by_id IS NULL GROUP BY natural_key HAVING count(*) > 1""",
    ),
    Question(
        "Usage record {id} is marked as charged, and the bill of its job is {state}.",
        """SELECT u.id, b.state FROM acc_usage_record u JOIN acc_job_bill b ON b.job_id = u.bill_id
            WHERE u.state = 'CHARGED' AND u.superseded_by_id IS NULL AND b.state <> 'CHARGED'""",
    ),
)

# A job's identifier as the text that transfers refer to it by.
_JOB_TEXT = {
    "postgresql": "b.job_id::text",
    "sqlite": "substr(b.job_id, 1, 8) || '-' || substr(b.job_id, 9, 4) || '-'"
    " || substr(b.job_id, 13, 4) || '-' || substr(b.job_id, 17, 4) || '-' || substr(b.job_id, 21)",
}


def findings() -> list[str]:
    """What is wrong, one sentence each; empty when the books are in order."""
    return [*_missing_triggers(), *(text for q in (*LEDGER, *BILLS) for text in _ask(q))]


def _ask(question: Question) -> list[str]:
    sql = question.sql.replace("{job_text}", _JOB_TEXT[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchmany(MOST_PER_QUESTION + 1)
    told = [
        question.finding.format(**{n: _shown(n, v) for n, v in zip(names, row, strict=True)})
        for row in rows[:MOST_PER_QUESTION]
    ]
    return [*told, "… and more of this kind."] if len(rows) > MOST_PER_QUESTION else told


def _shown(name: str, value: Any) -> Any:
    return money.show(int(value)) if name.endswith("_credits") else value


def _missing_triggers() -> list[str]:
    """A table that was rebuilt, or restored in part, has lost what guards it."""
    script = Path(__file__).parent / "migrations" / f"ledger_triggers.{connection.vendor}.sql"
    expected = re.findall(r"^CREATE (?:TRIGGER|TABLE) (\w+)", script.read_text(), re.MULTILINE)
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'table')"
            if sqlite
            else "SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
            " WHERE tgenabled <> 'D' AND c.relnamespace = current_schema()::regnamespace"
        )
        present = {name for (name,) in cursor.fetchall()}
        told = [
            f"{name}, which guards the books, is missing or off."
            for name in expected
            if name not in present
        ]
        if "acc_gate" in present:
            cursor.execute("SELECT count(*) FROM acc_gate")
            if cursor.fetchone() != (0,):
                told.append("The table acc_gate is not empty: no transfer can be booked.")
    return told
