-- The ledger's own work on SQLite (3.35 or newer); the same behaviour as on PostgreSQL.
-- The text of RAISE is the name of the broken rule.

-- Holds one row only while a trigger moves money: the gate through which balances may change, and
-- the amounts it moves. A row that anyone else leaves here stops the ledger.
CREATE TABLE acc_gate (
  id integer PRIMARY KEY CHECK (id = 1),
  moved integer NOT NULL,
  kept integer NOT NULL,
  spender integer
);

CREATE TRIGGER acc_transfer_apply AFTER INSERT ON acc_transfer BEGIN
  -- Integers that overflow, or never were any, are stored as floats without an error.
  SELECT RAISE(ABORT, 'acc_amount_pos') WHERE typeof(NEW.amount) <> 'integer';
  SELECT RAISE(ABORT, 'acc_pending_match')
   WHERE NEW.pending_id IS NOT NULL AND NOT EXISTS (
     SELECT 1 FROM acc_transfer hold
      WHERE hold.id = NEW.pending_id AND hold.phase = 'pending'
        AND hold.debit_id = NEW.debit_id AND hold.credit_id = NEW.credit_id
        AND (NEW.member_id IS NULL OR NEW.member_id IS hold.member_id));
  SELECT RAISE(ABORT, 'acc_void_whole') FROM acc_transfer hold
   WHERE NEW.phase = 'void' AND hold.id = NEW.pending_id AND hold.amount <> NEW.amount;
  SELECT RAISE(ABORT, 'acc_account_exists')
   WHERE (SELECT count(*) FROM acc_account WHERE id IN (NEW.debit_id, NEW.credit_id)) <> 2;
  SELECT RAISE(ABORT, 'acc_same_currency') FROM acc_account payer, acc_account payee
   WHERE payer.id = NEW.debit_id AND payee.id = NEW.credit_id
     AND payer.currency <> payee.currency;
  -- A hold that was given in time can be resolved on a frozen account.
  SELECT RAISE(ABORT, 'acc_open') FROM acc_account payer, acc_account payee
   WHERE payer.id = NEW.debit_id AND payee.id = NEW.credit_id
     AND NEW.phase IN ('single', 'pending')
     AND (payer.status <> 'OPEN' OR payee.status = 'CLOSED');

  INSERT INTO acc_gate (id, moved, kept, spender)
  SELECT 1,
         CASE WHEN NEW.phase IN ('single', 'post') THEN NEW.amount ELSE 0 END,
         CASE NEW.phase WHEN 'pending' THEN NEW.amount WHEN 'single' THEN 0 ELSE -hold.amount END,
         CASE WHEN NEW.pending_id IS NULL THEN NEW.member_id ELSE hold.member_id END
    FROM (SELECT 1) LEFT JOIN acc_transfer hold ON hold.id = NEW.pending_id;

  SELECT RAISE(ABORT, 'acc_no_overdraft') FROM acc_account payer, acc_gate
   WHERE payer.id = NEW.debit_id AND moved + kept > 0 AND NOT NEW.overrun_ok
     AND payer.posted - payer.held - moved - kept < payer.floor;
  -- After each statement that must not be skipped (as INSERT OR IGNORE would make it).
  UPDATE acc_account
     SET posted = posted - moved, held = held + kept, version = version + (moved > 0),
         overrun = coalesce(max(0, floor - (posted - moved - held - kept)), 0)
    FROM acc_gate WHERE acc_account.id = NEW.debit_id;
  SELECT RAISE(ABORT, 'acc_bounds') WHERE changes() <> 1;
  UPDATE acc_account
     SET posted = posted + moved, version = version + (moved > 0),
         overrun = coalesce(max(0, floor - (posted + moved - held)), 0)
    FROM acc_gate WHERE acc_account.id = NEW.credit_id AND moved > 0;
  SELECT RAISE(ABORT, 'acc_bounds') FROM acc_gate WHERE changes() <> (moved > 0);

  UPDATE acc_cap
     SET used = used + moved, held = acc_cap.held + kept,
         overrun = CASE WHEN NEW.overrun_ok AND moved > 0
                        THEN max(0, used + moved + acc_cap.held + kept - limit_)
                        ELSE min(overrun, max(0, used + moved + acc_cap.held + kept - limit_)) END
    FROM acc_gate WHERE account_id = NEW.debit_id AND member_id = spender;
  SELECT RAISE(ABORT, 'acc_cap_limit')
   WHERE changes() <> (SELECT count(*) FROM acc_cap, acc_gate
                        WHERE account_id = NEW.debit_id AND member_id = spender);
  SELECT RAISE(ABORT, 'acc_refund_bound')
   WHERE NEW.reverses_id IS NOT NULL AND NOT EXISTS (
     SELECT 1 FROM acc_transfer reversed
      WHERE reversed.id = NEW.reverses_id AND NEW.phase = 'single'
        AND reversed.phase IN ('single', 'post')
        AND reversed.debit_id = NEW.credit_id AND reversed.credit_id = NEW.debit_id
        AND (SELECT sum(amount) FROM acc_transfer WHERE reverses_id = NEW.reverses_id)
            <= reversed.amount);
  -- The member of a charged hold stands on the hold.
  UPDATE acc_cap
     SET used = used - NEW.amount,
         overrun = min(overrun, max(0, used - NEW.amount + held - limit_))
   WHERE NEW.reverses_id IS NOT NULL AND account_id = NEW.credit_id
     AND member_id = (SELECT coalesce(reversed.member_id, hold.member_id)
                        FROM acc_transfer reversed
                        LEFT JOIN acc_transfer hold ON hold.id = reversed.pending_id
                       WHERE reversed.id = NEW.reverses_id);

  INSERT INTO acc_entry (transfer_id, account_id, amount, balance_after, version)
  SELECT NEW.id, a.id, CASE a.id WHEN NEW.debit_id THEN -moved ELSE moved END, posted, version
    FROM acc_account a, acc_gate
   WHERE a.id IN (NEW.debit_id, NEW.credit_id) AND moved > 0;
  DELETE FROM acc_gate;
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

-- A cap begins with what its member has spent and holds already.
CREATE TRIGGER acc_cap_begin AFTER INSERT ON acc_cap BEGIN
  SELECT RAISE(ABORT, 'acc_account_exists')
   WHERE NOT EXISTS (SELECT 1 FROM acc_account WHERE id = NEW.account_id);
  SELECT RAISE(ABORT, 'acc_integers') WHERE typeof(NEW.limit_) <> 'integer';
  INSERT INTO acc_gate (id, moved, kept)
  SELECT 1,
         (SELECT coalesce(sum(t.amount), 0)
            FROM acc_transfer t LEFT JOIN acc_transfer h ON h.id = t.pending_id
           WHERE t.debit_id = NEW.account_id AND t.phase IN ('single', 'post')
             AND coalesce(t.member_id, h.member_id) = NEW.member_id)
         - (SELECT coalesce(sum(r.amount), 0)
              FROM acc_transfer r
              JOIN acc_transfer t ON t.id = r.reverses_id
              LEFT JOIN acc_transfer h ON h.id = t.pending_id
             WHERE r.credit_id = NEW.account_id
               AND coalesce(t.member_id, h.member_id) = NEW.member_id),
         (SELECT coalesce(sum(h.amount), 0) FROM acc_transfer h
           WHERE h.debit_id = NEW.account_id AND h.phase = 'pending'
             AND h.member_id = NEW.member_id
             AND NOT EXISTS (SELECT 1 FROM acc_transfer t WHERE t.pending_id = h.id));
  UPDATE acc_cap SET used = moved, held = kept, overrun = max(0, moved + kept - limit_)
    FROM acc_gate WHERE acc_cap.id = NEW.id;
  DELETE FROM acc_gate;
END;
CREATE TRIGGER acc_cap_guard BEFORE UPDATE OF id, account_id, member_id, used, held ON acc_cap
WHEN NOT EXISTS (SELECT 1 FROM acc_gate)
BEGIN SELECT RAISE(ABORT, 'acc_only_transfers'); END;
CREATE TRIGGER acc_cap_limit BEFORE UPDATE OF limit_, overrun ON acc_cap
WHEN NOT EXISTS (SELECT 1 FROM acc_gate)
 AND NEW.overrun <> max(0, NEW.used + NEW.held - NEW.limit_)
BEGIN SELECT RAISE(ABORT, 'acc_only_transfers'); END;
CREATE TRIGGER acc_cap_integers AFTER UPDATE ON acc_cap
WHEN typeof(NEW.limit_) <> 'integer' OR typeof(NEW.used) <> 'integer'
  OR typeof(NEW.held) <> 'integer' OR typeof(NEW.overrun) <> 'integer'
BEGIN SELECT RAISE(ABORT, 'acc_integers'); END;

-- Prices that were published, and quotes, stay as they were given.
CREATE TRIGGER acc_price_list_keep BEFORE UPDATE ON acc_price_list
WHEN OLD.published_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_price_list_keep_all BEFORE DELETE ON acc_price_list
WHEN OLD.published_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_rate_keep_new BEFORE INSERT ON acc_rate
WHEN EXISTS (SELECT 1 FROM acc_price_list
              WHERE id = NEW.price_list_id AND published_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_rate_keep BEFORE UPDATE ON acc_rate
WHEN EXISTS (SELECT 1 FROM acc_price_list
              WHERE id IN (OLD.price_list_id, NEW.price_list_id) AND published_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_rate_keep_all BEFORE DELETE ON acc_rate
WHEN EXISTS (SELECT 1 FROM acc_price_list
              WHERE id = OLD.price_list_id AND published_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_quote_keep BEFORE UPDATE ON acc_quote
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_quote_keep_all BEFORE DELETE ON acc_quote
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
