-- Here: drop_index.
-- UP
CREATE TABLE stamps (
  id    bigint PRIMARY KEY,
  label text NOT NULL,
  shade text
);
CREATE INDEX "Stamps ""by"" shade" ON stamps (shade text_pattern_ops) WHERE shade <> '';
CREATE UNIQUE INDEX stamps_once ON stamps (id, label);

-- DOWN
DROP TABLE stamps;
