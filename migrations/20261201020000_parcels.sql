-- Here: add_column.
-- UP
CREATE TABLE parcels (
  id     bigint PRIMARY KEY,
  label  text NOT NULL,
  weight int NOT NULL DEFAULT 1
);

-- DOWN
DROP TABLE parcels;
