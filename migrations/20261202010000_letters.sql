-- Here: transform_column.
-- UP
CREATE TABLE letters (
  id   bigint PRIMARY KEY,
  text text NOT NULL
);

-- DOWN
DROP TABLE letters;
