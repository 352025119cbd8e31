-- Here: add_index.
-- UP
CREATE TABLE readings (
  id     bigint PRIMARY KEY,
  label  text NOT NULL,
  "Kind" text,
  value  int
);
CREATE INDEX readings_kind_lower ON readings (lower("Kind"));
CREATE TABLE reading_days (
  id  bigint NOT NULL,
  day date NOT NULL DEFAULT '2026-01-01'
) PARTITION BY RANGE (day);
CREATE TABLE reading_days_2026 PARTITION OF reading_days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE reading_days_rest PARTITION OF reading_days DEFAULT;

-- DOWN
DROP TABLE reading_days;
DROP TABLE readings;
