-- The limits of members on SQLite: what counts in which, and since when.

-- The first day of the period that each transfer was booked in, for each period of a limit.
CREATE VIEW acc_period AS
SELECT t.id AS transfer_id, p.column1 AS period,
       CASE p.column1 WHEN '' THEN '1970-01-01'
                      WHEN 'MONTH' THEN substr(t.created_at, 1, 7) || '-01'
                      WHEN 'YEAR' THEN substr(t.created_at, 1, 4) || '-01-01'
                      ELSE substr(t.created_at, 1, 5)
                           || printf('%02d-01', (substr(t.created_at, 6, 2) - 1) / 3 * 3 + 1)
       END AS start
  FROM acc_transfer t, (VALUES (''), ('MONTH'), ('QUARTER'), ('YEAR')) p;

-- The limits in which a hold or a charge counts: one row of a limit per period.
CREATE VIEW acc_cap_spend AS
SELECT c.id AS cap_id, spend.id AS transfer_id
  FROM acc_transfer spend
  JOIN acc_cap c ON c.account_id = spend.debit_id AND c.member_id = spend.member_id
  JOIN acc_period p
    ON p.transfer_id = spend.id AND p.period = c.period AND p.start = c.period_start
 WHERE spend.pending_id IS NULL;

-- What each hold and charge counts for in the limits of its member. A resolution, or a refund,
-- counts where the hold, or the charge, did.
CREATE VIEW acc_cap_use AS
SELECT c.cap_id, spend.id AS transfer_id,
       CASE spend.phase WHEN 'single' THEN spend.amount
                        ELSE CASE solved.phase WHEN 'post' THEN solved.amount ELSE 0 END END
       - coalesce((SELECT sum(amount) FROM acc_transfer
                    WHERE reverses_id = coalesce(solved.id, spend.id)), 0) AS used,
       CASE WHEN spend.phase = 'pending' AND solved.id IS NULL THEN spend.amount ELSE 0 END AS held
  FROM acc_cap_spend c
  JOIN acc_transfer spend ON spend.id = c.transfer_id
  LEFT JOIN acc_transfer solved ON solved.pending_id = spend.id;

-- A limit that an administrator sets begins with what its member has spent and holds already.
CREATE TRIGGER acc_cap_begin AFTER INSERT ON acc_cap WHEN NOT EXISTS (SELECT 1 FROM acc_gate) BEGIN
  SELECT RAISE(ABORT, 'acc_account_exists')
   WHERE NOT EXISTS (SELECT 1 FROM acc_account WHERE id = NEW.account_id);
  SELECT RAISE(ABORT, 'acc_integers') WHERE typeof(NEW.limit_) <> 'integer';
  SELECT RAISE(ABORT, 'acc_cap_period')
   WHERE CASE NEW.period WHEN '' THEN NEW.period_start <> '1970-01-01'
                         WHEN 'MONTH' THEN NEW.period_start NOT GLOB '????-??-01'
                         WHEN 'YEAR' THEN NEW.period_start NOT GLOB '????-01-01'
                         ELSE NEW.period_start NOT GLOB '????-0[147]-01'
                              AND NEW.period_start NOT GLOB '????-10-01' END;
  INSERT INTO acc_gate (id, moved, kept)
  SELECT 1, coalesce(sum(used), 0), coalesce(sum(held), 0) FROM acc_cap_use WHERE cap_id = NEW.id;
  UPDATE acc_cap SET used = moved, held = kept, overrun = max(0, moved + kept - limit_)
    FROM acc_gate WHERE acc_cap.id = NEW.id;
  DELETE FROM acc_gate;
END;
CREATE TRIGGER acc_cap_guard BEFORE UPDATE OF id, account_id, member_id, period, period_start, used, held ON acc_cap
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
