"""What must hold of limits, rules of accounts and lots, asked of the whole database."""

from __future__ import annotations

from accounting.requests.questions import Question

# The rules of each account as they are, and what they are without any change.
_RULES = """(SELECT id, code, 'status' AS rule, status AS present, 'OPEN' AS initial
               FROM acc_account
             UNION ALL
             SELECT id, code, 'overrun_policy', overrun_policy, 'CAP_AT_HOLD' FROM acc_account
             UNION ALL
             SELECT id, code, 'credit_limit', cast(-floor AS varchar(20)), '0'
               FROM acc_account WHERE floor IS NOT NULL) r"""
# Changes are written with the account locked: the newest has the highest number.
_NEWEST = """(SELECT account_id, what, max(id) AS id FROM acc_account_change
               GROUP BY account_id, what) n"""
_DIFFERENT = f"""FROM {_RULES} JOIN {_NEWEST} ON n.account_id = r.id AND n.what = r.rule
             JOIN acc_account_change c ON c.id = n.id
            WHERE coalesce({{changed_to}}, '') <> r.present"""
_UNKNOWN = f"""FROM {_RULES} LEFT JOIN {_NEWEST} ON n.account_id = r.id AND n.what = r.rule
            WHERE n.id IS NULL AND r.present <> r.initial"""

_CAPS = """(SELECT m.account_id, m.member_id, m.limit_, m.period FROM acc_cap m
              JOIN (SELECT max(id) AS id FROM acc_cap GROUP BY account_id, member_id) l
                ON l.id = m.id) m"""
_CAP_CHANGES = """(SELECT c.account_id, cast(c.after ->> 'member' AS bigint) AS member_id,
                     cast(c.after ->> 'limit' AS bigint) AS limit_, c.after ->> 'period' AS period
                FROM acc_account_change c
                JOIN (SELECT max(id) AS id FROM acc_account_change WHERE what = 'cap'
                       GROUP BY account_id, after ->> 'member') l ON l.id = c.id
               WHERE c.what = 'cap') c"""
_SAME_MEMBER = "m.account_id = c.account_id AND m.member_id = c.member_id"

RULES = (
    Question(
        "Account {code}: the credit limit is {present_credits}, the newest change on record made"
        " it {changed_credits}.",
        f"""SELECT r.code, r.present AS present_credits, {{changed_to}} AS changed_credits
             {_DIFFERENT} AND r.rule = 'credit_limit'""",
    ),
    Question(
        "Account {code}: the {rule} is {present}, the newest change on record made it {changed}.",
        f"""SELECT r.code, r.rule, r.present, {{changed_to}} AS changed
             {_DIFFERENT} AND r.rule <> 'credit_limit'""",
    ),
    Question(
        "Account {code}: the credit limit is {present_credits} without a change on record.",
        f"""SELECT r.code, r.present AS present_credits
             {_UNKNOWN} AND r.rule = 'credit_limit'""",
    ),
    Question(
        "Account {code}: the {rule} is {present} without a change on record.",
        f"SELECT r.code, r.rule, r.present {_UNKNOWN} AND r.rule <> 'credit_limit'",
    ),
    Question(
        "The limit of member {member_id} on account {account_id} is {limit_credits} ({period}), the"
        " newest change on record made it {changed_credits} ({changed_period}).",
        f"""SELECT m.member_id, m.account_id, m.limit_ AS limit_credits, m.period,
                  c.limit_ AS changed_credits, c.period AS changed_period
             FROM {_CAPS} JOIN {_CAP_CHANGES} ON {_SAME_MEMBER}
            WHERE coalesce(c.limit_, -1) <> m.limit_ OR coalesce(c.period, '') <> m.period
        """,  # noqa: S608
    ),
    Question(
        "The limit of member {member_id} on account {account_id} is missing, the newest change on"
        " record made it {changed_credits}.",
        f"""SELECT c.member_id, c.account_id, c.limit_ AS changed_credits
             FROM {_CAP_CHANGES} LEFT JOIN acc_cap m ON {_SAME_MEMBER}
            WHERE c.limit_ IS NOT NULL AND m.id IS NULL""",  # noqa: S608
    ),
    Question(
        "The limit of member {member_id} on account {account_id} is {limit_credits} without a"
        " change on record.",
        f"""SELECT m.member_id, m.account_id, m.limit_ AS limit_credits
             FROM {_CAPS} LEFT JOIN {_CAP_CHANGES} ON {_SAME_MEMBER}
            WHERE c.member_id IS NULL""",  # noqa: S608
    ),
    Question(
        "Lot {id}: {remaining_credits} remain of {amount_credits}, and {taken_credits} were taken.",
        """SELECT l.id, l.remaining AS remaining_credits, l.amount AS amount_credits,
                  coalesce(sum(u.amount), 0) AS taken_credits
             FROM acc_lot l LEFT JOIN acc_lot_use u ON u.lot_id = l.id
            GROUP BY l.id, l.remaining, l.amount
           HAVING l.amount - l.remaining <> coalesce(sum(u.amount), 0)""",
    ),
    Question(
        "Account {code} has credit that expires, and nothing says how far its lots were brought.",
        """SELECT a.code FROM acc_account a LEFT JOIN acc_lot_cursor c ON c.account_id = a.id
            WHERE c.account_id IS NULL
              AND (EXISTS (SELECT 1 FROM acc_lot l WHERE l.account_id = a.id)
                   OR EXISTS (SELECT 1 FROM acc_grant g
                               WHERE g.account_id = a.id AND g.state = 'ISSUED'
                                 AND g.expires_at IS NOT NULL))""",
    ),
)
