-- Here: create_table.
-- UP
CREATE TABLE jobs (
  id    bigint PRIMARY KEY,
  label text NOT NULL
);

-- DOWN
DROP TABLE jobs;
