-- Here: split_column.
-- UP
CREATE TABLE people (
  id        bigint PRIMARY KEY,
  full_name text
);

-- DOWN
DROP TABLE people;
