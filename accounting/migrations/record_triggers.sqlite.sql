-- Prices and other records stay as they were made.

-- Prices that were published, and quotes, stay as they were given.
CREATE TRIGGER acc_price_list_keep
BEFORE UPDATE OF id, code, version, currency, effective_from, published_at, created_by
ON acc_price_list WHEN OLD.published_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_price_list_withdraw_once BEFORE UPDATE ON acc_price_list
WHEN OLD.withdrawn_at IS NOT NULL
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

-- A formula is taken back by a newer one.
CREATE TRIGGER acc_formula_keep BEFORE UPDATE ON acc_formula
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_formula_keep_all BEFORE DELETE ON acc_formula
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;

-- Who changed a rule of an account stays known.
CREATE TRIGGER acc_account_change_keep BEFORE UPDATE ON acc_account_change
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_account_change_keep_all BEFORE DELETE ON acc_account_change
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;

-- Seals, and closed statements.
CREATE TRIGGER acc_seal_keep BEFORE UPDATE ON acc_seal
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_seal_keep_all BEFORE DELETE ON acc_seal
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_statement_keep BEFORE UPDATE ON acc_statement
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_statement_keep_all BEFORE DELETE ON acc_statement
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;

-- What explains a transfer, and the lots that follow from the entries, is never taken away.
CREATE TRIGGER acc_usage_bill_keep BEFORE DELETE ON acc_usage_bill
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_dispute_keep BEFORE DELETE ON acc_dispute
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_top_up_keep BEFORE DELETE ON acc_top_up
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_adjustment_keep BEFORE DELETE ON acc_adjustment
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_lot_keep BEFORE DELETE ON acc_lot
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_lot_cursor_keep BEFORE DELETE ON acc_lot_cursor
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_lot_use_keep BEFORE UPDATE ON acc_lot_use
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_lot_use_keep_all BEFORE DELETE ON acc_lot_use
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
-- What is scheduled may be taken back.
CREATE TRIGGER acc_grant_keep BEFORE DELETE ON acc_grant WHEN OLD.transfer_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;

-- Usage records are of a message and, mostly, of a job's bill.
CREATE TRIGGER acc_usage_linked AFTER INSERT ON acc_usage_record
WHEN NOT EXISTS (SELECT 1 FROM acc_usage_message WHERE id = NEW.message_id)
  OR NEW.bill_id IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM acc_job_bill WHERE job_id = NEW.bill_id)
BEGIN SELECT RAISE(ABORT, 'acc_usage_links'); END;
CREATE TRIGGER acc_usage_relinked AFTER UPDATE OF message_id, bill_id ON acc_usage_record
WHEN NOT EXISTS (SELECT 1 FROM acc_usage_message WHERE id = NEW.message_id)
  OR NEW.bill_id IS NOT NULL
     AND NOT EXISTS (SELECT 1 FROM acc_job_bill WHERE job_id = NEW.bill_id)
BEGIN SELECT RAISE(ABORT, 'acc_usage_links'); END;
CREATE TRIGGER acc_usage_message_keep BEFORE DELETE ON acc_usage_message
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
CREATE TRIGGER acc_job_bill_keep BEFORE DELETE ON acc_job_bill
BEGIN SELECT RAISE(ABORT, 'acc_append_only'); END;
