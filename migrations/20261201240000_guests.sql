-- Here: drop_column.
-- UP
CREATE TABLE hosts (id bigint PRIMARY KEY);
CREATE TABLE guests (
  id              bigint PRIMARY KEY,
  label           text NOT NULL,
  "Shout ""it"""  text NOT NULL CHECK ("Shout ""it""" <> ''),
  host            bigint REFERENCES hosts,
  seats           int NOT NULL DEFAULT 1
);
CREATE INDEX guests_host ON guests (host);
COMMENT ON COLUMN guests.seats IS 'How many come.';

-- DOWN
DROP TABLE guests;
DROP TABLE hosts;
