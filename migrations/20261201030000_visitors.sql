-- Here: set_not_null, drop_not_null, set_default, drop_default.
-- UP
CREATE TABLE visitors (
  id     bigint,
  "Full ""Name""" text NOT NULL,
  nick   text,
  phone  text NOT NULL,
  status text DEFAULT 'old',
  visits int NOT NULL DEFAULT 0,
  PRIMARY KEY (id)
) PARTITION BY HASH (id);
CREATE TABLE visitors_0 PARTITION OF visitors FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE visitors_1 PARTITION OF visitors FOR VALUES WITH (MODULUS 2, REMAINDER 1);

-- DOWN
DROP TABLE visitors;
