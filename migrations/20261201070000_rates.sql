-- Here: drop_constraint, rename_constraint.
-- UP
CREATE TABLE currencies (code text PRIMARY KEY);
INSERT INTO currencies VALUES ('EUR');
CREATE TABLE rates (
  id       bigint PRIMARY KEY,
  name     text CONSTRAINT "rates.name" UNIQUE,
  currency text NOT NULL DEFAULT 'EUR' REFERENCES currencies ON DELETE CASCADE,
  percent  int CONSTRAINT rates_percent CHECK (percent BETWEEN 0 AND 50)
);
COMMENT ON CONSTRAINT rates_currency_fkey ON rates IS 'It''s there for no reason.';
COMMENT ON CONSTRAINT rates_percent ON rates IS 'As once agreed.';

-- DOWN
DROP TABLE rates;
DROP TABLE currencies;
