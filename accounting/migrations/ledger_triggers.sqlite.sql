-- The ledger's own work on SQLite (3.35 or newer); the same behaviour as on PostgreSQL.
-- The text of RAISE is the name of the broken rule.

-- Holds one row only while a trigger moves money: the gate through which balances may change, and
-- what it moves. `spend` is the hold, or the charge, that counts in the limits of `spender`; `batch`
-- says that acc_batch_book moves it. A row that anyone else leaves here stops the ledger.
CREATE TABLE acc_gate (
  id integer PRIMARY KEY CHECK (id = 1),
  moved integer NOT NULL DEFAULT 0,
  kept integer NOT NULL DEFAULT 0,
  spender integer,
  spend text,
  batch integer NOT NULL DEFAULT 0
);

CREATE TRIGGER acc_transfer_apply AFTER INSERT ON acc_transfer
WHEN NOT EXISTS (SELECT 1 FROM acc_gate WHERE batch) BEGIN
  INSERT INTO acc_gate (id, moved, kept, spender, spend)
  SELECT 1,
         CASE WHEN NEW.phase IN ('single', 'post') THEN NEW.amount ELSE 0 END,
         CASE NEW.phase WHEN 'pending' THEN NEW.amount WHEN 'single' THEN 0
                        ELSE coalesce(-hold.amount, 0) END,
         CASE WHEN NEW.pending_id IS NULL THEN NEW.member_id ELSE hold.member_id END,
         coalesce(NEW.pending_id, NEW.id)
    FROM (SELECT 1) LEFT JOIN acc_transfer hold ON hold.id = NEW.pending_id;

  SELECT CASE
    -- Integers that overflow, or never were any, are stored as floats without an error.
    WHEN typeof(NEW.amount) <> 'integer' THEN RAISE(ABORT, 'acc_amount_pos')
    WHEN NEW.pending_id IS NOT NULL
         AND (hold.phase IS NOT 'pending'
              OR hold.debit_id <> NEW.debit_id OR hold.credit_id <> NEW.credit_id
              OR NEW.member_id IS NOT NULL AND NEW.member_id IS NOT hold.member_id)
      THEN RAISE(ABORT, 'acc_pending_match')
    WHEN NEW.phase = 'void' AND hold.amount <> NEW.amount THEN RAISE(ABORT, 'acc_void_whole')
    WHEN payer.id IS NULL OR payee.id IS NULL THEN RAISE(ABORT, 'acc_account_exists')
    WHEN payer.currency <> payee.currency THEN RAISE(ABORT, 'acc_same_currency')
    -- A hold that was given in time can be resolved on a frozen account.
    WHEN NEW.pending_id IS NULL AND (payer.status <> 'OPEN' OR payee.status = 'CLOSED')
      THEN RAISE(ABORT, 'acc_open')
    WHEN moved + kept > 0 AND NOT NEW.overrun_ok
         AND payer.posted - payer.held - moved - kept < payer.floor
      THEN RAISE(ABORT, 'acc_no_overdraft')
    END
    FROM acc_gate
    LEFT JOIN acc_transfer hold ON hold.id = NEW.pending_id
    LEFT JOIN acc_account payer ON payer.id = NEW.debit_id
    LEFT JOIN acc_account payee ON payee.id = NEW.credit_id;

  -- After each statement that must not be skipped (as INSERT OR IGNORE would make it).
  UPDATE acc_account
     SET posted = posted - moved, held = held + kept, version = version + (moved > 0),
         overrun = coalesce(max(0, floor - (posted - moved - held - kept)), 0)
    FROM acc_gate WHERE acc_account.id = NEW.debit_id;
  SELECT RAISE(ABORT, 'acc_bounds') WHERE changes() <> 1;
  UPDATE acc_account
     SET posted = posted + moved, version = version + 1,
         overrun = coalesce(max(0, floor - (posted + moved - held)), 0)
    FROM acc_gate WHERE acc_account.id = NEW.credit_id AND moved > 0;
  SELECT RAISE(ABORT, 'acc_bounds') FROM acc_gate WHERE changes() <> (moved > 0);

  -- The newest row of a limit is the rule; a later period begins with a row of its own.
  INSERT INTO acc_cap (account_id, member_id, period, period_start, limit_, used, held, overrun)
  SELECT rule.account_id, rule.member_id, rule.period, p.start, rule.limit_, 0, 0, 0
    FROM acc_cap rule CROSS JOIN acc_period p
   WHERE NEW.pending_id IS NULL AND rule.id = (
           SELECT max(id) FROM acc_cap
            WHERE account_id = NEW.debit_id AND member_id = NEW.member_id)
     AND p.transfer_id = NEW.id AND p.period = rule.period AND p.start > rule.period_start
      ON CONFLICT DO NOTHING;
  -- Rows of another period than the rule's only count.
  UPDATE acc_cap
     SET used = used + moved, held = acc_cap.held + kept,
         overrun = CASE WHEN NEW.overrun_ok AND moved > 0 OR period <> (
                               SELECT period FROM acc_cap
                                WHERE account_id = NEW.debit_id AND member_id = spender
                                ORDER BY id DESC LIMIT 1)
                        THEN max(0, used + moved + acc_cap.held + kept - limit_)
                        ELSE min(overrun, max(0, used + moved + acc_cap.held + kept - limit_)) END
    FROM acc_gate
   WHERE account_id = NEW.debit_id AND member_id = spender
     AND period_start = (SELECT start FROM acc_period p
                          WHERE p.transfer_id = spend AND p.period = acc_cap.period);
  SELECT RAISE(ABORT, 'acc_cap_limit')
   WHERE changes() <> (
     SELECT count(*) FROM acc_gate CROSS JOIN acc_cap c CROSS JOIN acc_period p
      WHERE c.account_id = NEW.debit_id AND c.member_id = spender
        AND p.transfer_id = spend AND p.period = c.period AND p.start = c.period_start);

  SELECT RAISE(ABORT, 'acc_refund_bound')
   WHERE NEW.reverses_id IS NOT NULL AND NOT EXISTS (
     SELECT 1 FROM acc_transfer reversed
      WHERE reversed.id = NEW.reverses_id AND NEW.phase = 'single'
        AND reversed.phase IN ('single', 'post')
        AND reversed.debit_id = NEW.credit_id AND reversed.credit_id = NEW.debit_id
        AND (SELECT sum(amount) FROM acc_transfer WHERE reverses_id = NEW.reverses_id)
            <= reversed.amount);
  -- The member, and the time, of a charged hold are the hold's.
  UPDATE acc_cap
     SET used = used - NEW.amount, overrun = max(0, used - NEW.amount + held - limit_)
   WHERE NEW.reverses_id IS NOT NULL
     AND id IN (SELECT cap_id FROM acc_cap_spend
                 WHERE transfer_id = (SELECT coalesce(pending_id, id) FROM acc_transfer
                                       WHERE id = NEW.reverses_id));

  INSERT INTO acc_entry (transfer_id, account_id, amount, balance_after, version)
  SELECT NEW.id, a.id, CASE a.id WHEN NEW.debit_id THEN -moved ELSE moved END, posted, version
    FROM acc_gate CROSS JOIN acc_account a
   WHERE a.id IN (NEW.debit_id, NEW.credit_id) AND moved > 0;
  DELETE FROM acc_gate;
END;

-- Many transfers at once: they are put into acc_inbox, then a row is inserted into acc_batch. What
-- was booked is left in acc_inbox, for whoever put it there to count and delete.
CREATE TABLE acc_inbox AS SELECT * FROM acc_transfer LIMIT 0;
CREATE UNIQUE INDEX acc_inbox_once ON acc_inbox (id);
-- The resolutions within their holds, by the rowid of acc_inbox: they can only give credit free,
-- and are booked with one change of each account and limit.
CREATE TABLE acc_settled (
  id integer PRIMARY KEY,
  moved integer NOT NULL,
  kept integer NOT NULL,
  spender integer
);
CREATE VIEW acc_side AS
SELECT s.id, i.id AS transfer_id, i.debit_id AS account_id, -s.moved AS amount, s.kept
  FROM acc_settled s JOIN acc_inbox i ON i.rowid = s.id
 UNION ALL
SELECT s.id, i.id, i.credit_id, s.moved, 0
  FROM acc_settled s JOIN acc_inbox i ON i.rowid = s.id WHERE s.moved > 0;
CREATE VIEW acc_batch AS SELECT 1 AS begin LIMIT 0;
CREATE TRIGGER acc_batch_book INSTEAD OF INSERT ON acc_batch BEGIN
  DELETE FROM acc_inbox WHERE id IN (SELECT id FROM acc_transfer WHERE id = acc_inbox.id);
  INSERT INTO acc_settled (id, moved, kept, spender)
  SELECT i.rowid, CASE i.phase WHEN 'post' THEN i.amount ELSE 0 END, hold.amount, hold.member_id
    FROM acc_inbox i CROSS JOIN acc_transfer hold ON hold.id = i.pending_id
   WHERE hold.phase = 'pending' AND i.reverses_id IS NULL AND typeof(i.amount) = 'integer'
     AND hold.debit_id = i.debit_id AND hold.credit_id = i.credit_id
     AND (i.member_id IS NULL OR i.member_id = hold.member_id)
     AND (i.phase = 'post' AND i.amount <= hold.amount
          OR i.phase = 'void' AND i.amount = hold.amount);
  INSERT INTO acc_gate (id, batch) VALUES (1, 1);
  INSERT INTO acc_transfer
  SELECT i.* FROM acc_settled s CROSS JOIN acc_inbox i ON i.rowid = s.id;
  SELECT RAISE(ABORT, 'acc_batch_whole') WHERE changes() <> (SELECT count(*) FROM acc_settled);
  UPDATE acc_account
     SET posted = posted + s.amount, held = acc_account.held - s.kept, version = version + s.entries,
         overrun = coalesce(max(0, floor - (posted + s.amount - acc_account.held + s.kept)), 0)
    FROM (SELECT account_id, sum(amount) AS amount, sum(kept) AS kept, sum(amount <> 0) AS entries
            FROM acc_side GROUP BY account_id) s
   WHERE acc_account.id = s.account_id;
  SELECT RAISE(ABORT, 'acc_bounds')
   WHERE changes() <> (SELECT count(DISTINCT account_id) FROM acc_side);
  UPDATE acc_cap
     SET used = used + s.moved, held = acc_cap.held - s.kept,
         overrun = max(0, used + s.moved + acc_cap.held - s.kept - limit_)
    FROM (SELECT c.id, sum(s.moved) AS moved, sum(s.kept) AS kept
            FROM acc_settled s CROSS JOIN acc_inbox i ON i.rowid = s.id
           CROSS JOIN acc_cap c ON c.account_id = i.debit_id AND c.member_id = s.spender
           CROSS JOIN acc_period p
              ON p.transfer_id = i.pending_id AND p.period = c.period AND p.start = c.period_start
           GROUP BY c.id) s
   WHERE acc_cap.id = s.id;
  INSERT INTO acc_entry (transfer_id, account_id, amount, balance_after, version)
  SELECT s.transfer_id, s.account_id, s.amount,
         a.posted - coalesce(sum(s.amount) OVER later, 0), a.version - count(*) OVER later
    FROM acc_side s JOIN acc_account a ON a.id = s.account_id
   WHERE s.amount <> 0
  WINDOW later AS (PARTITION BY s.account_id ORDER BY s.id DESC
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
   ORDER BY s.id;
  DELETE FROM acc_gate;
  -- Everything else, one by one: acc_transfer_apply books it.
  INSERT INTO acc_transfer
  SELECT * FROM acc_inbox WHERE rowid NOT IN (SELECT id FROM acc_settled) ORDER BY rowid;
  SELECT RAISE(ABORT, 'acc_batch_whole')
   WHERE changes() <> (SELECT count(*) FROM acc_inbox) - (SELECT count(*) FROM acc_settled);
  DELETE FROM acc_settled;
END;

-- Transfers and entries are append-only; entries appear, and balances change, only in the trigger.
CREATE TRIGGER acc_transfer_keep BEFORE UPDATE ON acc_transfer
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_transfer_keep_all BEFORE DELETE ON acc_transfer
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_entry_keep BEFORE UPDATE ON acc_entry
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_entry_keep_all BEFORE DELETE ON acc_entry
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_entry_guard BEFORE INSERT ON acc_entry
WHEN NOT EXISTS (SELECT 1 FROM acc_gate)
BEGIN SELECT RAISE(ABORT, 'acc_only_transfers'); END;

CREATE TRIGGER acc_account_keep BEFORE DELETE ON acc_account
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_account_empty BEFORE INSERT ON acc_account
WHEN NEW.posted <> 0 OR NEW.held <> 0 OR NEW.overrun <> 0 OR NEW.version <> 0
BEGIN SELECT RAISE(ABORT, 'acc_only_transfers'); END;
CREATE TRIGGER acc_account_guard
BEFORE UPDATE OF id, code, kind, user_id, group_id, currency, posted, held, version ON acc_account
WHEN NOT EXISTS (SELECT 1 FROM acc_gate)
BEGIN SELECT RAISE(ABORT, 'acc_only_transfers'); END;
-- Who moves the floor says with it what is below it then.
CREATE TRIGGER acc_account_floor BEFORE UPDATE OF floor, overrun ON acc_account
WHEN NOT EXISTS (SELECT 1 FROM acc_gate)
 AND NEW.overrun <> coalesce(max(0, NEW.floor - (NEW.posted - NEW.held)), 0)
BEGIN SELECT RAISE(ABORT, 'acc_only_transfers'); END;
CREATE TRIGGER acc_account_integers AFTER UPDATE ON acc_account
WHEN typeof(NEW.posted) <> 'integer' OR typeof(NEW.held) <> 'integer'
  OR typeof(NEW.overrun) <> 'integer' OR typeof(NEW.version) <> 'integer'
  OR typeof(NEW.floor) NOT IN ('integer', 'null')
BEGIN SELECT RAISE(ABORT, 'acc_integers'); END;
CREATE TRIGGER acc_account_integers_new AFTER INSERT ON acc_account
WHEN typeof(NEW.floor) NOT IN ('integer', 'null')
BEGIN SELECT RAISE(ABORT, 'acc_integers'); END;
