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

CREATE FUNCTION acc_apply() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  payer acc_account;
  payee acc_account;
  hold acc_transfer;
  reversed acc_transfer;
  moved bigint := CASE WHEN NEW.phase IN ('single', 'post') THEN NEW.amount ELSE 0 END;
  kept bigint := CASE WHEN NEW.phase = 'pending' THEN NEW.amount ELSE 0 END;
  spender bigint := NEW.member_id;
BEGIN
  IF NEW.pending_id IS NOT NULL THEN
    -- Append-only rows need no lock.
    SELECT * INTO hold FROM acc_transfer WHERE id = NEW.pending_id;
    IF hold.phase IS DISTINCT FROM 'pending'
       OR hold.debit_id <> NEW.debit_id OR hold.credit_id <> NEW.credit_id
       OR (NEW.member_id IS NOT NULL AND NEW.member_id IS DISTINCT FROM hold.member_id) THEN
      PERFORM acc_fail('acc_pending_match', 'this does not match the hold');
    END IF;
    IF NEW.phase = 'void' AND NEW.amount <> hold.amount THEN
      PERFORM acc_fail('acc_void_whole', 'a hold is released whole');
    END IF;
    kept := -hold.amount;
    spender := hold.member_id;
  END IF;

  -- Rows are updated, and thereby locked, in ascending id: no deadlock. What follows looks at the
  -- new values, and undoes everything by raising: the row lock is the check.
  IF moved > 0 AND NEW.credit_id < NEW.debit_id THEN
    UPDATE acc_account
       SET posted = posted + moved, version = version + 1,
           overrun = greatest(0, floor - (posted + moved - held))
     WHERE id = NEW.credit_id RETURNING * INTO payee;
  END IF;
  UPDATE acc_account
     SET posted = posted - moved, held = held + kept, version = version + (moved > 0)::int,
         overrun = greatest(0, floor - (posted - moved - held - kept))
   WHERE id = NEW.debit_id RETURNING * INTO payer;
  IF moved > 0 AND NEW.credit_id > NEW.debit_id THEN
    UPDATE acc_account
       SET posted = posted + moved, version = version + 1,
           overrun = greatest(0, floor - (posted + moved - held))
     WHERE id = NEW.credit_id RETURNING * INTO payee;
  ELSIF moved = 0 THEN
    SELECT * INTO payee FROM acc_account WHERE id = NEW.credit_id;
  END IF;

  IF payer.id IS NULL OR payee.id IS NULL THEN
    PERFORM acc_fail('acc_account_exists', 'there is no such account');
  END IF;
  IF payer.currency <> payee.currency THEN
    PERFORM acc_fail('acc_same_currency', 'the accounts differ in currency');
  END IF;
  -- A hold that was given in time can be resolved on a frozen account.
  IF NEW.phase IN ('single', 'pending') AND (payer.status <> 'OPEN' OR payee.status = 'CLOSED') THEN
    PERFORM acc_fail('acc_open', 'the account is not open');
  END IF;
  IF moved + kept > 0 AND NOT NEW.overrun_ok AND payer.posted - payer.held < payer.floor THEN
    PERFORM acc_fail('acc_no_overdraft', 'there is not enough credit');
  END IF;

  IF spender IS NOT NULL THEN
    UPDATE acc_cap
       SET used = used + moved, held = held + kept,
           overrun = CASE WHEN NEW.overrun_ok AND moved > 0
                          THEN greatest(0, used + moved + held + kept - limit_)
                          ELSE least(overrun, greatest(0, used + moved + held + kept - limit_)) END
     WHERE account_id = NEW.debit_id AND member_id = spender;
  END IF;
  IF NEW.reverses_id IS NOT NULL THEN
    SELECT * INTO reversed FROM acc_transfer WHERE id = NEW.reverses_id;
    -- Both accounts of the charge are locked by now: two refunds of it cannot interleave.
    IF NEW.phase <> 'single' OR reversed.phase IS NULL OR reversed.phase NOT IN ('single', 'post')
       OR reversed.debit_id <> NEW.credit_id OR reversed.credit_id <> NEW.debit_id
       OR (SELECT sum(amount) FROM acc_transfer WHERE reverses_id = NEW.reverses_id)
          > reversed.amount THEN
      PERFORM acc_fail('acc_refund_bound', 'this is more than the charge, or not its mirror');
    END IF;
    -- The member of a charged hold stands on the hold.
    UPDATE acc_cap
       SET used = used - NEW.amount,
           overrun = least(overrun, greatest(0, used - NEW.amount + held - limit_))
     WHERE account_id = NEW.credit_id
       AND member_id = coalesce(
             reversed.member_id,
             (SELECT member_id FROM acc_transfer WHERE id = reversed.pending_id));
  END IF;

  IF moved > 0 THEN
    INSERT INTO acc_entry (transfer_id, account_id, amount, balance_after, version)
    VALUES (NEW.id, payer.id, -moved, payer.posted, payer.version),
           (NEW.id, payee.id, moved, payee.posted, payee.version);
  END IF;
  RETURN NULL;
END $$;

-- AFTER: a BEFORE trigger would also run for an id that ON CONFLICT skips.
CREATE TRIGGER acc_transfer_apply AFTER INSERT ON acc_transfer
  FOR EACH ROW EXECUTE FUNCTION acc_apply();

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

-- A cap begins with what its member has spent and holds already. The account's row is locked first,
-- so that no hold is placed meanwhile.
CREATE FUNCTION acc_cap_begin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM acc_account WHERE id = NEW.account_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM acc_fail('acc_account_exists', 'there is no such account');
  END IF;
  SELECT coalesce(sum(t.amount), 0) INTO NEW.used
    FROM acc_transfer t LEFT JOIN acc_transfer h ON h.id = t.pending_id
   WHERE t.debit_id = NEW.account_id AND t.phase IN ('single', 'post')
     AND coalesce(t.member_id, h.member_id) = NEW.member_id;
  SELECT NEW.used - coalesce(sum(r.amount), 0) INTO NEW.used
    FROM acc_transfer r
    JOIN acc_transfer t ON t.id = r.reverses_id
    LEFT JOIN acc_transfer h ON h.id = t.pending_id
   WHERE r.credit_id = NEW.account_id AND coalesce(t.member_id, h.member_id) = NEW.member_id;
  SELECT coalesce(sum(h.amount), 0) INTO NEW.held
    FROM acc_transfer h
   WHERE h.debit_id = NEW.account_id AND h.phase = 'pending' AND h.member_id = NEW.member_id
     AND NOT EXISTS (SELECT 1 FROM acc_transfer t WHERE t.pending_id = h.id);
  NEW.overrun := greatest(0, NEW.used + NEW.held - NEW.limit_);
  RETURN NEW;
END $$;
CREATE TRIGGER acc_cap_begin BEFORE INSERT ON acc_cap
  FOR EACH ROW EXECUTE FUNCTION acc_cap_begin();
CREATE TRIGGER acc_cap_guard BEFORE UPDATE OF id, account_id, member_id, used, held ON acc_cap
  FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION acc_refuse('acc_only_transfers');
CREATE TRIGGER acc_cap_limit BEFORE UPDATE OF limit_, overrun ON acc_cap
  FOR EACH ROW WHEN (pg_trigger_depth() = 0
                     AND NEW.overrun <> greatest(0, NEW.used + NEW.held - NEW.limit_))
  EXECUTE FUNCTION acc_refuse('acc_only_transfers');

-- Prices that were published, and quotes, stay as they were given.
CREATE TRIGGER acc_price_list_keep BEFORE UPDATE OR DELETE ON acc_price_list
  FOR EACH ROW WHEN (OLD.published_at IS NOT NULL)
  EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_price_list_keep_all BEFORE TRUNCATE ON acc_price_list
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE FUNCTION acc_rate_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  touched bigint[] := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.price_list_id]
                                 WHEN 'DELETE' THEN ARRAY[OLD.price_list_id]
                                 ELSE ARRAY[OLD.price_list_id, NEW.price_list_id] END;
BEGIN
  -- The lock lets no list be published while its rates change.
  PERFORM 1 FROM acc_price_list WHERE id = ANY (touched) ORDER BY id FOR SHARE;
  IF EXISTS (SELECT 1 FROM acc_price_list WHERE id = ANY (touched) AND published_at IS NOT NULL)
  THEN
    PERFORM acc_fail('acc_append_only', 'this price list is published');
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER acc_rate_keep BEFORE INSERT OR UPDATE OR DELETE ON acc_rate
  FOR EACH ROW EXECUTE FUNCTION acc_rate_guard();
CREATE TRIGGER acc_rate_keep_all BEFORE TRUNCATE ON acc_rate
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_quote_keep BEFORE UPDATE OR DELETE ON acc_quote
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_quote_keep_all BEFORE TRUNCATE ON acc_quote
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');

-- Room on the page for the next version of a busy account's row.
ALTER TABLE acc_account SET (fillfactor = 50);
