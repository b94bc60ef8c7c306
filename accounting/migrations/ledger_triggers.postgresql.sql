-- The ledger's own work on PostgreSQL. The application inserts a transfer, and nothing else; this
-- moves the money, writes the two entries, and refuses what would break an invariant.

-- Fails exactly as a CHECK of that name does: drivers report the name of the rule.
CREATE FUNCTION acc_fail(rule text, told text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', told USING ERRCODE = '23514', CONSTRAINT = rule;
END $$;

-- A trigger's refusal of whatever was attempted; its argument is the name of the rule.
CREATE FUNCTION acc_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM acc_fail(TG_ARGV[0], lower(TG_OP) || ' on ' || TG_TABLE_NAME || ' is refused');
  RETURN NULL;
END $$;

-- Books one transfer.
CREATE FUNCTION acc_book(fresh acc_transfer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  payer acc_account;
  payee acc_account;
  hold acc_transfer;
  reversed acc_transfer;
  rule acc_cap;
  moved bigint := CASE WHEN fresh.phase IN ('single', 'post') THEN fresh.amount ELSE 0 END;
  kept bigint := CASE WHEN fresh.phase = 'pending' THEN fresh.amount ELSE 0 END;
  spender bigint := fresh.member_id;
  since timestamptz := fresh.created_at;
BEGIN
  IF fresh.pending_id IS NOT NULL THEN
    -- Append-only rows need no lock.
    SELECT * INTO hold FROM acc_transfer WHERE id = fresh.pending_id;
    IF hold.phase IS DISTINCT FROM 'pending'
       OR hold.debit_id <> fresh.debit_id OR hold.credit_id <> fresh.credit_id
       OR (fresh.member_id IS NOT NULL AND fresh.member_id IS DISTINCT FROM hold.member_id) THEN
      PERFORM acc_fail('acc_pending_match', 'this does not match the hold');
    END IF;
    IF fresh.phase = 'void' AND fresh.amount <> hold.amount THEN
      PERFORM acc_fail('acc_void_whole', 'a hold is released whole');
    END IF;
    kept := -hold.amount;
    spender := hold.member_id;
    since := hold.created_at;
  END IF;

  -- Rows are updated, and thereby locked, in ascending id: no deadlock. What follows looks at the
  -- new values, and undoes everything by raising: the row lock is the check.
  IF moved > 0 AND fresh.credit_id < fresh.debit_id THEN
    UPDATE acc_account
       SET posted = posted + moved, version = version + 1,
           overrun = greatest(0, floor - (posted + moved - held))
     WHERE id = fresh.credit_id RETURNING * INTO payee;
  END IF;
  UPDATE acc_account
     SET posted = posted - moved, held = held + kept, version = version + (moved > 0)::int,
         overrun = greatest(0, floor - (posted - moved - held - kept))
   WHERE id = fresh.debit_id RETURNING * INTO payer;
  IF moved > 0 AND fresh.credit_id > fresh.debit_id THEN
    UPDATE acc_account
       SET posted = posted + moved, version = version + 1,
           overrun = greatest(0, floor - (posted + moved - held))
     WHERE id = fresh.credit_id RETURNING * INTO payee;
  ELSIF moved = 0 THEN
    SELECT * INTO payee FROM acc_account WHERE id = fresh.credit_id;
  END IF;

  IF payer.id IS NULL OR payee.id IS NULL THEN
    PERFORM acc_fail('acc_account_exists', 'there is no such account');
  END IF;
  IF payer.currency <> payee.currency THEN
    PERFORM acc_fail('acc_same_currency', 'the accounts differ in currency');
  END IF;
  -- A hold that was given in time can be resolved on a frozen account.
  IF fresh.phase IN ('single', 'pending')
     AND (payer.status <> 'OPEN' OR payee.status = 'CLOSED') THEN
    PERFORM acc_fail('acc_open', 'the account is not open');
  END IF;
  IF moved + kept > 0 AND NOT fresh.overrun_ok AND payer.posted - payer.held < payer.floor THEN
    PERFORM acc_fail('acc_no_overdraft', 'there is not enough credit');
  END IF;

  IF spender IS NOT NULL THEN
    SELECT * INTO rule FROM acc_cap
     WHERE account_id = fresh.debit_id AND member_id = spender ORDER BY id DESC LIMIT 1;
    IF FOUND THEN
      IF fresh.pending_id IS NULL
         AND acc_period_start(rule.period, since) > rule.period_start THEN
        INSERT INTO acc_cap
          (account_id, member_id, period, period_start, limit_, used, held, overrun)
        VALUES (fresh.debit_id, spender, rule.period, acc_period_start(rule.period, since),
                rule.limit_, 0, 0, 0)
        ON CONFLICT DO NOTHING;
      END IF;
      -- Rows of another period than the present rule's only count.
      UPDATE acc_cap
         SET used = used + moved, held = held + kept,
             overrun = CASE WHEN fresh.overrun_ok AND moved > 0 OR period <> rule.period
                            THEN greatest(0, used + moved + held + kept - limit_)
                            ELSE least(overrun, greatest(0, used + moved + held + kept - limit_))
                       END
       WHERE account_id = fresh.debit_id AND member_id = spender
         AND period_start = acc_period_start(period, since);
    END IF;
  END IF;
  IF fresh.reverses_id IS NOT NULL THEN
    SELECT * INTO reversed FROM acc_transfer WHERE id = fresh.reverses_id;
    -- Both accounts of the charge are locked by now: two refunds of it cannot interleave.
    IF fresh.phase <> 'single'
       OR reversed.phase IS NULL OR reversed.phase NOT IN ('single', 'post')
       OR reversed.debit_id <> fresh.credit_id OR reversed.credit_id <> fresh.debit_id
       OR (SELECT sum(amount) FROM acc_transfer WHERE reverses_id = fresh.reverses_id)
          > reversed.amount THEN
      PERFORM acc_fail('acc_refund_bound', 'this is more than the charge, or not its mirror');
    END IF;
    -- The member, and the time, of a charged hold are the hold's.
    UPDATE acc_cap c
       SET used = used - fresh.amount,
           overrun = greatest(0, used - fresh.amount + held - limit_)
      FROM acc_transfer spend
     WHERE spend.id = coalesce(reversed.pending_id, reversed.id)
       AND c.account_id = spend.debit_id AND c.member_id = spend.member_id
       AND c.period_start = acc_period_start(c.period, spend.created_at);
  END IF;

  IF moved > 0 THEN
    INSERT INTO acc_entry (transfer_id, account_id, amount, balance_after, version)
    VALUES (fresh.id, payer.id, -moved, payer.posted, payer.version),
           (fresh.id, payee.id, moved, payee.posted, payee.version);
  END IF;
END $$;

CREATE FUNCTION acc_apply() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  number bigint;
  one acc_transfer;
  settled uuid[];
BEGIN
  SELECT count(*) INTO number FROM fresh;
  IF number = 1 THEN
    SELECT * INTO one FROM fresh;
    PERFORM acc_book(one);
  END IF;
  IF number < 2 THEN
    RETURN NULL;
  END IF;

  -- Several transfers: all their accounts are locked first, in ascending id.
  PERFORM 1 FROM acc_account
    WHERE id IN (SELECT debit_id FROM fresh UNION SELECT credit_id FROM fresh)
    ORDER BY id FOR NO KEY UPDATE;
  -- Resolutions within their holds can only give credit free. They are booked in one statement,
  -- which touches an account and a limit once for all of them.
  WITH solved AS MATERIALIZED (
    SELECT row_number() OVER () AS place, f.id, f.debit_id, f.credit_id, hold.amount AS kept,
           CASE f.phase WHEN 'post' THEN f.amount ELSE 0 END AS moved,
           hold.member_id AS spender, hold.created_at AS since
      FROM fresh f
      -- A look into the index for each row, however large the tables were when this was planned.
      CROSS JOIN LATERAL (SELECT * FROM acc_transfer WHERE id = f.pending_id OFFSET 0) hold
     WHERE hold.phase = 'pending' AND f.reverses_id IS NULL
       AND hold.debit_id = f.debit_id AND hold.credit_id = f.credit_id
       AND (f.member_id IS NULL OR f.member_id = hold.member_id)
       AND (f.phase = 'post' AND f.amount <= hold.amount
            OR f.phase = 'void' AND f.amount = hold.amount)
  ), sides AS (
    SELECT place, id, debit_id AS account_id, -moved AS amount, kept FROM solved
    UNION ALL
    SELECT place, id, credit_id, moved, 0 FROM solved WHERE moved > 0
  ), sums AS (
    SELECT account_id, sum(amount)::bigint AS amount, sum(kept)::bigint AS kept,
           count(*) FILTER (WHERE amount <> 0) AS entries
      FROM sides GROUP BY account_id
  ), accounts AS (
    UPDATE acc_account a
       SET posted = posted + s.amount, held = held - s.kept, version = version + s.entries,
           overrun = greatest(0, floor - (posted + s.amount - held + s.kept))
      FROM sums s WHERE a.id = s.account_id
    RETURNING a.id, a.posted - s.amount AS posted, a.version - s.entries AS version
  ), caps AS (
    UPDATE acc_cap c
       SET used = used + s.moved, held = held - s.kept,
           overrun = greatest(0, used + s.moved + held - s.kept - limit_)
      FROM (SELECT cap.id, sum(moved)::bigint AS moved, sum(kept)::bigint AS kept
              FROM solved JOIN acc_cap cap
                ON cap.account_id = debit_id AND cap.member_id = spender
               AND cap.period_start = acc_period_start(cap.period, since)
             GROUP BY cap.id) s
     WHERE c.id = s.id
  ), entries AS (
    INSERT INTO acc_entry (transfer_id, account_id, amount, balance_after, version)
    SELECT s.id, s.account_id, s.amount, a.posted + sum(s.amount) OVER earlier,
           a.version + row_number() OVER earlier
      FROM sides s JOIN accounts a ON a.id = s.account_id
     WHERE s.amount <> 0
    WINDOW earlier AS (PARTITION BY s.account_id ORDER BY s.place ROWS UNBOUNDED PRECEDING)
  )
  SELECT array_agg(id) INTO settled FROM solved;

  IF number > coalesce(cardinality(settled), 0) THEN
    FOR one IN
      SELECT * FROM fresh f
       WHERE NOT EXISTS (SELECT 1 FROM unnest(settled) AS done WHERE done = f.id)
    LOOP
      PERFORM acc_book(one);
    END LOOP;
  END IF;
  RETURN NULL;
END $$;

-- AFTER: a BEFORE trigger would also see an id that ON CONFLICT skips.
CREATE TRIGGER acc_transfer_apply AFTER INSERT ON acc_transfer
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION acc_apply();

-- Transfers and entries are append-only; entries appear, and balances change, only in acc_apply
-- (depth 0 is a statement of the application).
CREATE TRIGGER acc_transfer_keep BEFORE UPDATE OR DELETE ON acc_transfer
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_transfer_keep_all BEFORE TRUNCATE ON acc_transfer
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_entry_keep BEFORE UPDATE OR DELETE ON acc_entry
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_entry_keep_all BEFORE TRUNCATE ON acc_entry
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_entry_guard BEFORE INSERT ON acc_entry
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION acc_refuse('acc_only_transfers');

CREATE TRIGGER acc_account_keep BEFORE DELETE ON acc_account
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_account_keep_all BEFORE TRUNCATE ON acc_account
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_account_empty BEFORE INSERT ON acc_account
  FOR EACH ROW WHEN (NEW.posted <> 0 OR NEW.held <> 0 OR NEW.overrun <> 0 OR NEW.version <> 0)
  EXECUTE FUNCTION acc_refuse('acc_only_transfers');
CREATE TRIGGER acc_account_guard
  BEFORE UPDATE OF id, code, kind, user_id, group_id, currency, posted, held, version
  ON acc_account
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION acc_refuse('acc_only_transfers');
-- Who moves the floor says with it what is below it then.
CREATE TRIGGER acc_account_floor BEFORE UPDATE OF floor, overrun ON acc_account
  FOR EACH ROW WHEN (pg_trigger_depth() = 0
                     AND NEW.overrun <> greatest(0, NEW.floor - (NEW.posted - NEW.held)))
  EXECUTE FUNCTION acc_refuse('acc_only_transfers');

-- Room on the page for the next version of a busy account's row.
ALTER TABLE acc_account SET (fillfactor = 50);
