-- Here: sql.
-- UP
CREATE TABLE payers (id bigint PRIMARY KEY, name text NOT NULL);
INSERT INTO payers VALUES (1, 'Ada');
CREATE TABLE payments (
  id    bigint PRIMARY KEY,
  payer bigint NOT NULL DEFAULT 1 REFERENCES payers,
  note  text NOT NULL,
  cents int NOT NULL
);

-- DOWN
DROP TABLE payments, payers;
