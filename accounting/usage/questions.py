"""What must hold of bills and usage records, asked of the whole database."""

from __future__ import annotations

from accounting.requests.questions import Question

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
            WHERE b.state IN ('OPEN', 'AWAITING_USAGE')
              AND (r.id IS NOT NULL OR (b.hold_id IS NULL AND b.limit_amount <> 0))
        """,
    ),
    Question(
        "Job {job_id}: it is at its end, and its bill is neither settled nor waiting for usage.",
        "SELECT job_id FROM acc_job_bill WHERE state = 'OPEN' AND ended_at IS NOT NULL",
    ),
    Question(
        "Job {job_id}: the hold is less than was quoted, not what the bill says, or not on the"
        " account that pays.",
        """SELECT b.job_id FROM acc_job_bill b
             JOIN acc_transfer h ON h.id = b.hold_id JOIN acc_quote q ON q.id = b.quote_id
            WHERE h.phase <> 'pending' OR h.debit_id <> b.account_id
               OR h.amount <> b.limit_amount OR h.amount < q.total""",
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
        "Job {job_id}: the bill says {charged_credits} charged and kept, the ledger"
        " {booked_credits}.",
        """SELECT b.job_id, b.charged - b.refunded AS charged_credits,
                  coalesce(sum(t.amount), 0) AS booked_credits
             FROM acc_job_bill b
             LEFT JOIN (SELECT reference,
                               CASE kind WHEN 'REFUND' THEN -amount ELSE amount END AS amount
                          FROM acc_transfer
                         WHERE kind IN ('CHARGE', 'REFUND') AND phase IN ('single', 'post')
                           AND reference <> '') t ON t.reference = {job_text}
            GROUP BY b.job_id, b.charged, b.refunded
           HAVING b.charged - b.refunded <> coalesce(sum(t.amount), 0)""",
    ),
    Question(
        "Job {job_id}: its bill names a charge that is not booked.",
        """SELECT b.job_id FROM acc_job_bill b LEFT JOIN acc_transfer t ON t.id = b.charge_id
            WHERE b.charge_id IS NOT NULL AND t.id IS NULL""",
    ),
    Question(
        "Job {job_id}: {charged_credits} is charged, more than the {limit_credits} held.",
        """SELECT job_id, charged AS charged_credits, limit_amount AS limit_credits
             FROM acc_job_bill
            WHERE charged > limit_amount AND overrun_policy = 'CAP_AT_HOLD'""",
    ),
    Question(
        "Job {job_id}: {charged_credits} is charged and kept, of {used_credits} used.",
        """SELECT job_id, charged - refunded AS charged_credits, used AS used_credits
             FROM acc_job_bill
            WHERE charged - refunded > used - CASE WHEN deferred < 0 THEN deferred ELSE 0 END""",
    ),
    Question(
        "Job {job_id}: {used_credits} is used, {charged_credits} charged, and neither is the rest,"
        " which the account owes, nor does it wait for the account to be open.",
        """SELECT job_id, used AS used_credits, charged AS charged_credits FROM acc_job_bill
            WHERE state = 'CHARGED' AND overrun_policy = 'DEBT' AND charged + deferred < used""",
    ),
    Question(
        "Job {job_id}: {deferred_credits} waits for an account to be open, which is not what is"
        " left of its bill.",
        """SELECT job_id, deferred AS deferred_credits FROM acc_job_bill
            WHERE deferred > 0 AND deferred > used - charged
               OR deferred < 0 AND used >= charged""",
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
    Question(
        "Usage bill {id}: {charged_credits} is charged and kept, the ledger says {booked_credits}.",
        """SELECT b.id, b.charged - b.refunded AS charged_credits,
                  coalesce(sum(t.amount), 0) AS booked_credits
             FROM acc_usage_bill b
             LEFT JOIN (SELECT reference,
                               CASE kind WHEN 'REFUND' THEN -amount ELSE amount END AS amount
                          FROM acc_transfer
                         WHERE kind IN ('CHARGE', 'REFUND') AND phase = 'single'
                           AND reference LIKE 'usage:%') t
                    ON t.reference = 'usage:' || cast(b.id AS varchar(20))
            GROUP BY b.id, b.charged, b.refunded
           HAVING b.charged - b.refunded <> coalesce(sum(t.amount), 0)""",
    ),
    Question(
        "Usage bill {id}: it says {used_credits} used, its usage record {cost_credits}.",
        """SELECT b.id, b.used AS used_credits, coalesce(sum(u.cost), 0) AS cost_credits
             FROM acc_usage_bill b
             LEFT JOIN acc_usage_record u
                    ON u.usage_bill_id = b.id AND u.superseded_by_id IS NULL
                   AND u.state <> 'HELD_BACK'
            GROUP BY b.id, b.used HAVING b.used <> coalesce(sum(u.cost), 0)""",
    ),
    Question(
        "Usage bill {id}: {charged_credits} is charged and kept, of {used_credits} used.",
        """SELECT id, charged - refunded AS charged_credits, used AS used_credits
             FROM acc_usage_bill
            WHERE charged - refunded > used - CASE WHEN deferred < 0 THEN deferred ELSE 0 END""",
    ),
    Question(
        "Usage bill {id}: {deferred_credits} waits for an account to be open, which is not what is"
        " left of it.",
        """SELECT id, deferred AS deferred_credits FROM acc_usage_bill
            WHERE deferred > 0 AND deferred > used - charged
               OR deferred < 0 AND used >= charged""",
    ),
    Question(
        "Usage record {id} costs {cost_credits}, and its lines add up to another sum, or nobody"
        " pays for it.",
        """SELECT u.id, u.cost AS cost_credits FROM acc_usage_record u
            WHERE u.state = 'CHARGED' AND u.superseded_by_id IS NULL
              AND (u.cost IS NULL OR (u.bill_id IS NULL AND u.usage_bill_id IS NULL)
                   OR u.cost <> {lines_sum})""",
    ),
    Question(
        "Transfer {id} of {amount_credits} is booked for {reference}, and no bill knows it.",
        """SELECT t.id, t.amount AS amount_credits, t.reference
             FROM acc_transfer t
             LEFT JOIN acc_job_bill b ON {job_text} = t.reference
             LEFT JOIN acc_usage_bill u ON 'usage:' || cast(u.id AS varchar(20)) = t.reference
            WHERE t.kind IN ('CHARGE', 'REFUND') AND t.phase IN ('single', 'post')
              AND t.reference <> '' AND b.job_id IS NULL AND u.id IS NULL""",
    ),
    Question(
        "Usage record {id} is of a message that is not there.",
        """SELECT r.id FROM acc_usage_record r
             LEFT JOIN acc_usage_message m ON m.id = r.message_id WHERE m.id IS NULL""",
    ),
    Question(
        "Usage record {id} points to a bill that is not there.",
        """SELECT r.id FROM acc_usage_record r
             LEFT JOIN acc_job_bill b ON b.job_id = r.bill_id
             LEFT JOIN acc_usage_bill u ON u.id = r.usage_bill_id
            WHERE (r.bill_id IS NOT NULL AND b.job_id IS NULL)
               OR (r.usage_bill_id IS NOT NULL AND u.id IS NULL)""",
    ),
    Question(
        "Transfer {id} of {amount_credits} was booked by hand ({kind} by {actor}), and neither an"
        " adjustment nor a dispute explains it.",
        """SELECT t.id, t.amount AS amount_credits, t.kind, t.actor
             FROM acc_transfer t
             LEFT JOIN acc_adjustment a ON a.transfer_id = t.id
             LEFT JOIN acc_dispute d ON d.refund_id = t.id
            WHERE t.kind IN ('ADJUST', 'REFUND') AND t.actor LIKE 'user:%'
              AND a.id IS NULL AND d.id IS NULL""",
    ),
)
