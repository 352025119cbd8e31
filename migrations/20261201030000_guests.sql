-- Here: set_not_null, drop_not_null, set_default, drop_default.
-- UP
CREATE TABLE guests (
  id     bigint,
  "Full ""Name""" text NOT NULL,
  nick   text,
  phone  text NOT NULL,
  status text DEFAULT 'old',
  visits int NOT NULL DEFAULT 0,
  PRIMARY KEY (id)
) PARTITION BY HASH (id);
CREATE TABLE guests_0 PARTITION OF guests FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE guests_1 PARTITION OF guests FOR VALUES WITH (MODULUS 2, REMAINDER 1);

-- DOWN
DROP TABLE guests;
