-- Prices and other records stay as they were made.

-- Prices that were published, and quotes, stay as they were given.
CREATE TRIGGER acc_price_list_keep
  BEFORE UPDATE OF id, code, version, currency, effective_from, published_at, created_by OR DELETE
  ON acc_price_list FOR EACH ROW WHEN (OLD.published_at IS NOT NULL)
  EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_price_list_withdraw_once BEFORE UPDATE ON acc_price_list
  FOR EACH ROW WHEN (OLD.withdrawn_at IS NOT NULL)
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

-- Who changed a rule of an account stays known.
CREATE TRIGGER acc_account_change_keep BEFORE UPDATE OR DELETE ON acc_account_change
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_account_change_keep_all BEFORE TRUNCATE ON acc_account_change
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');

-- A formula is taken back by a newer one.
CREATE TRIGGER acc_formula_keep BEFORE UPDATE OR DELETE ON acc_formula
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_formula_keep_all BEFORE TRUNCATE ON acc_formula
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');

-- Seals, and closed statements.
CREATE TRIGGER acc_seal_keep BEFORE UPDATE OR DELETE ON acc_seal
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_seal_keep_all BEFORE TRUNCATE ON acc_seal
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_statement_keep BEFORE UPDATE OR DELETE ON acc_statement
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_statement_keep_all BEFORE TRUNCATE ON acc_statement
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');

-- What explains a transfer, and the lots that follow from the entries, is never taken away.
CREATE TRIGGER acc_usage_bill_keep BEFORE DELETE ON acc_usage_bill
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_usage_bill_keep_all BEFORE TRUNCATE ON acc_usage_bill
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_dispute_keep BEFORE DELETE ON acc_dispute
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_dispute_keep_all BEFORE TRUNCATE ON acc_dispute
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_top_up_keep BEFORE DELETE ON acc_top_up
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_top_up_keep_all BEFORE TRUNCATE ON acc_top_up
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_adjustment_keep BEFORE DELETE ON acc_adjustment
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_adjustment_keep_all BEFORE TRUNCATE ON acc_adjustment
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_lot_keep BEFORE DELETE ON acc_lot
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_lot_keep_all BEFORE TRUNCATE ON acc_lot
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_lot_cursor_keep BEFORE DELETE ON acc_lot_cursor
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_lot_cursor_keep_all BEFORE TRUNCATE ON acc_lot_cursor
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_lot_use_keep BEFORE UPDATE OR DELETE ON acc_lot_use
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_lot_use_keep_all BEFORE TRUNCATE ON acc_lot_use
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
-- What is scheduled may be taken back.
CREATE TRIGGER acc_grant_keep BEFORE DELETE ON acc_grant
  FOR EACH ROW WHEN (OLD.transfer_id IS NOT NULL)
  EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_grant_keep_all BEFORE TRUNCATE ON acc_grant
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');

-- Usage records are of a message and, mostly, of a job's bill: looked at once for all records that
-- come together, where a foreign key looks for each.
CREATE FUNCTION acc_usage_links() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM (SELECT DISTINCT message_id FROM fresh) f
              WHERE NOT EXISTS (SELECT 1 FROM acc_usage_message WHERE id = f.message_id))
     OR EXISTS (SELECT 1 FROM fresh f LEFT JOIN LATERAL (
                  SELECT true AS found FROM acc_job_bill WHERE job_id = f.bill_id OFFSET 0) b ON true
                 WHERE f.bill_id IS NOT NULL AND b.found IS NULL) THEN
    PERFORM acc_fail('acc_usage_links', 'there is no such message or bill');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER acc_usage_linked AFTER INSERT ON acc_usage_record
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION acc_usage_links();
CREATE FUNCTION acc_usage_link() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM acc_usage_message WHERE id = NEW.message_id)
     OR NEW.bill_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM acc_job_bill WHERE job_id = NEW.bill_id) THEN
    PERFORM acc_fail('acc_usage_links', 'there is no such message or bill');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER acc_usage_relinked AFTER UPDATE OF message_id, bill_id ON acc_usage_record
  FOR EACH ROW WHEN (OLD.message_id <> NEW.message_id OR OLD.bill_id IS DISTINCT FROM NEW.bill_id)
  EXECUTE FUNCTION acc_usage_link();
CREATE TRIGGER acc_usage_message_keep BEFORE DELETE ON acc_usage_message
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_usage_message_keep_all BEFORE TRUNCATE ON acc_usage_message
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_job_bill_keep BEFORE DELETE ON acc_job_bill
  FOR EACH ROW EXECUTE FUNCTION acc_refuse('acc_append_only');
CREATE TRIGGER acc_job_bill_keep_all BEFORE TRUNCATE ON acc_job_bill
  FOR EACH STATEMENT EXECUTE FUNCTION acc_refuse('acc_append_only');

-- Keys are compared byte by byte, as the application sorts them, whatever the database's language.
ALTER TABLE acc_usage_record ALTER COLUMN natural_key TYPE varchar(700) COLLATE "C";
-- Bodies of messages are large: packed fast, where the server was built with that.
DO $$ BEGIN
  ALTER TABLE acc_usage_message ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN NULL;
END $$;
