-- Here: merge_columns.
-- UP
CREATE TABLE places (
  id     bigint PRIMARY KEY,
  street text NOT NULL,
  city   text NOT NULL
);

-- DOWN
DROP TABLE places;
