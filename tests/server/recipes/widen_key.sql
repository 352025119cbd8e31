-- What a plain ALTER takes with it, and what is made again around it.
DROP VIEW card_richest, account_names, "Accounts' friends", account_cards;
DROP MATERIALIZED VIEW card_sums;
DROP POLICY cards_seen ON cards;
ALTER PUBLICATION accounts_of_all DROP TABLE accounts;
DROP TRIGGER accounts_stay ON accounts;
ALTER TABLE friends DROP CONSTRAINT friends_one_fkey, DROP CONSTRAINT friends_other_fkey;
ALTER TABLE deposits DROP CONSTRAINT "deposits' Card";
ALTER TABLE cards DROP CONSTRAINT cards_account_id_fkey;
ALTER TABLE accounts DROP CONSTRAINT accounts_parent_fkey;
ALTER TABLE accounts ALTER id TYPE bigint, ALTER parent TYPE bigint;
ALTER SEQUENCE accounts_id_seq AS bigint;
ALTER TABLE cards ALTER account_id TYPE bigint;
ALTER TABLE deposits ALTER card_id TYPE bigint;
ALTER TABLE friends ALTER one TYPE bigint, ALTER other TYPE bigint;
ALTER TABLE accounts ADD FOREIGN KEY (parent) REFERENCES accounts ON DELETE SET NULL;
ALTER TABLE cards ADD FOREIGN KEY (account_id) REFERENCES accounts ON UPDATE CASCADE ON DELETE CASCADE;
COMMENT ON CONSTRAINT cards_account_id_fkey ON cards IS 'Each card has its account.';
ALTER TABLE deposits ADD CONSTRAINT "deposits' Card" FOREIGN KEY (card_id) REFERENCES cards DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE friends ADD FOREIGN KEY (one) REFERENCES accounts ON DELETE CASCADE,
  ADD FOREIGN KEY (other) REFERENCES accounts ON DELETE CASCADE;
CREATE TRIGGER accounts_stay BEFORE UPDATE OF id, parent ON accounts
  FOR EACH ROW WHEN (OLD.id IS DISTINCT FROM NEW.id) EXECUTE FUNCTION account_stays();
ALTER TABLE accounts ENABLE ALWAYS TRIGGER accounts_stay;
COMMENT ON TRIGGER accounts_stay ON accounts IS 'A number is for ever.';
CREATE VIEW account_cards WITH (security_barrier = true) AS
  SELECT a.id, a.parent, a.name, c.account_id AS card, c.label FROM accounts a LEFT JOIN cards c ON c.account_id = a.id;
COMMENT ON VIEW account_cards IS 'Who has which card.';
COMMENT ON COLUMN account_cards.card IS 'Cards have no numbers of their own.';
GRANT SELECT ON account_cards TO PUBLIC;
-- It groups by the primary key, and shows more of the row.
CREATE VIEW "Accounts' friends" AS
  SELECT a.id, a.name, v.label, count(f.other) AS many, count(*) FILTER (WHERE f.other = 7) AS sevens
  FROM accounts a JOIN account_cards v USING (id) LEFT JOIN friends f ON f.one = a.id GROUP BY a.id, v.label;
COMMENT ON VIEW "Accounts' friends" IS 'As many as there are.';
GRANT SELECT (id, many) ON "Accounts' friends" TO PUBLIC;
CREATE VIEW account_names AS SELECT id, name FROM accounts WHERE id > 0 WITH CHECK OPTION;
CREATE MATERIALIZED VIEW card_sums AS
  SELECT c.account_id, sum(d.amount) AS amount FROM cards c JOIN deposits d ON d.card_id = c.account_id GROUP BY c.account_id;
CREATE UNIQUE INDEX card_sums_key ON card_sums (account_id);
CREATE INDEX ON card_sums (amount) WHERE account_id > 10;
COMMENT ON MATERIALIZED VIEW card_sums IS 'As of last night.';
GRANT SELECT ON card_sums TO PUBLIC;
CREATE VIEW card_richest AS SELECT account_id, name FROM card_sums JOIN accounts a ON a.id = account_id ORDER BY amount DESC LIMIT 1;
CREATE POLICY cards_seen ON cards USING (EXISTS (SELECT FROM accounts a WHERE a.id = cards.account_id AND a.name <> 'hidden'))
  WITH CHECK (account_id > 0);
COMMENT ON POLICY cards_seen ON cards IS 'Some are not for all.';
DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 150000 THEN
    EXECUTE 'ALTER PUBLICATION accounts_of_all ADD TABLE accounts (id, name) WHERE (id > 0)';
  ELSE
    ALTER PUBLICATION accounts_of_all ADD TABLE accounts;
  END IF;
END $$;
