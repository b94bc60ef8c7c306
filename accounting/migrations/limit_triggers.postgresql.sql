-- The limits of members on PostgreSQL: what counts in which, and since when.

-- The first day, in UTC, of the period of a limit that a moment lies in.
CREATE FUNCTION acc_period_start(period text, moment timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE period WHEN '' THEN date '1970-01-01'
                     ELSE date_trunc(lower(period), moment AT TIME ZONE 'UTC')::date END
$$;

-- What each hold and charge counts for in the limits of its member: one row of a limit per period.
-- A resolution, or a refund, counts where the hold, or the charge, did.
CREATE VIEW acc_cap_use AS
SELECT c.id AS cap_id, spend.id AS transfer_id,
       CASE spend.phase WHEN 'single' THEN spend.amount
                        ELSE CASE solved.phase WHEN 'post' THEN solved.amount ELSE 0 END END
       - coalesce((SELECT sum(amount) FROM acc_transfer
                    WHERE reverses_id = coalesce(solved.id, spend.id)), 0) AS used,
       CASE WHEN spend.phase = 'pending' AND solved.id IS NULL THEN spend.amount ELSE 0 END AS held
  FROM acc_cap c
  JOIN acc_transfer spend ON spend.debit_id = c.account_id AND spend.member_id = c.member_id
   AND spend.pending_id IS NULL
   AND c.period_start = acc_period_start(c.period, spend.created_at)
  LEFT JOIN acc_transfer solved ON solved.pending_id = spend.id;

-- A limit that an administrator sets begins with what its member has spent and holds already.
CREATE FUNCTION acc_cap_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.period_start
     <> acc_period_start(NEW.period, NEW.period_start::timestamp AT TIME ZONE 'UTC') THEN
    PERFORM acc_fail('acc_cap_period', 'no period begins on this day');
  END IF;
  -- The account's row is locked first, so that no hold is placed meanwhile.
  PERFORM 1 FROM acc_account WHERE id = NEW.account_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM acc_fail('acc_account_exists', 'there is no such account');
  END IF;
  UPDATE acc_cap c
     SET used = s.used, held = s.held, overrun = greatest(0, s.used + s.held - limit_)
    FROM (SELECT coalesce(sum(used), 0) AS used, coalesce(sum(held), 0) AS held
            FROM acc_cap_use WHERE cap_id = NEW.id) s
   WHERE c.id = NEW.id;
  RETURN NULL;
END $$;
CREATE TRIGGER acc_cap_begin AFTER INSERT ON acc_cap
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION acc_cap_begin();
CREATE TRIGGER acc_cap_guard BEFORE UPDATE OF id, account_id, member_id, period, period_start, used, held
  ON acc_cap
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION acc_refuse('acc_only_transfers');
CREATE TRIGGER acc_cap_limit BEFORE UPDATE OF limit_, overrun ON acc_cap
  FOR EACH ROW WHEN (pg_trigger_depth() = 0
                     AND NEW.overrun <> greatest(0, NEW.used + NEW.held - NEW.limit_))
  EXECUTE FUNCTION acc_refuse('acc_only_transfers');
