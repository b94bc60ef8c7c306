"""The invariants of the ledger and of bills, asked of the whole database.

Triggers and constraints keep most of them; this finds what somebody changed past those, what a
restored backup lacks, and mistakes in what is built on the ledger. Each question is one statement,
so that it sees one moment and raises no false alarm while the portal works.
"""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import Any

from django.db import connection

from accounting.credit.lot_audit import broken_lots
from accounting.credit.questions import RULES
from accounting.migrations import _triggers
from accounting.requests.questions import Question
from accounting.statements.audit import STATEMENTS, broken_seals
from accounting.usage.questions import BILLS
from common import money

MOST_PER_QUESTION = 20

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
                  coalesce(sum(u.used), 0) AS spent_credits,
                  coalesce(sum(u.held), 0) AS kept_credits
             FROM acc_cap c JOIN acc_account a ON a.id = c.account_id
             LEFT JOIN acc_cap_use u ON u.cap_id = c.id
            GROUP BY c.id, c.member_id, a.code, c.used, c.held
           HAVING c.used <> coalesce(sum(u.used), 0) OR c.held <> coalesce(sum(u.held), 0)""",
    ),
    Question(
        "Member {member_id} is above the limit on account {account_id} without authorisation.",
        "SELECT member_id, account_id FROM acc_cap WHERE used + held > limit_ + overrun",
    ),
)

# What the databases have no common words for: a job's identifier as the text that transfers refer
# to it by, and the sum of a usage record's price lines.
_WORDS = {
    "postgresql": {
        "{job_text}": "b.job_id::text",
        "{lines_sum}": "coalesce((SELECT sum((line->>'amount')::bigint)"
        " FROM jsonb_array_elements(u.lines) line), 0)",
        "{changed_to}": "CASE c.what WHEN 'status' THEN c.after ->> 'status'"
        " ELSE c.after #>> '{}' END",
    },
    "sqlite": {
        "{job_text}": "substr(b.job_id, 1, 8) || '-' || substr(b.job_id, 9, 4) || '-'"
        " || substr(b.job_id, 13, 4) || '-' || substr(b.job_id, 17, 4) || '-'"
        " || substr(b.job_id, 21)",
        "{lines_sum}": "coalesce((SELECT sum(json_extract(value, '$.amount'))"
        " FROM json_each(u.lines)), 0)",
        "{changed_to}": "CASE c.what WHEN 'status' THEN c.after ->> 'status'"
        " ELSE cast(json_extract(c.after, '$') AS varchar(20)) END",
    },
}


def findings() -> list[str]:
    """What is wrong, one sentence each; empty when the books are in order."""
    asked = (text for question in (*LEDGER, *BILLS, *RULES, *STATEMENTS) for text in _ask(question))
    walked = (islice(walk(), MOST_PER_QUESTION) for walk in (broken_lots, broken_seals))
    return [*_missing_triggers(), *asked, *chain.from_iterable(walked)]


def _ask(question: Question) -> list[str]:
    sql = question.sql
    for word, meaning in _WORDS[connection.vendor].items():
        sql = sql.replace(word, meaning)
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
    return money.show(int(value)) if name.endswith("_credits") and value is not None else value


def _missing_triggers() -> list[str]:
    """A table that was rebuilt, or restored in part, has lost what guards it."""
    script = _triggers.script(connection.vendor)
    expected = re.findall(r"^CREATE (?:TRIGGER|TABLE|VIEW) (\w+)", script, re.MULTILINE)
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'table', 'view')"
            if sqlite
            else "SELECT tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
            " WHERE tgenabled <> 'D' AND c.relnamespace = current_schema()::regnamespace"
            " UNION SELECT viewname FROM pg_views WHERE schemaname = current_schema()"
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
