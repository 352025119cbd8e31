-- Here: move_columns.
-- UP
CREATE TABLE "Boat ""log""" (
  "Id '"          bigint PRIMARY KEY,
  berth           int NOT NULL DEFAULT 1,
  label           varchar(80) COLLATE "C" CHECK (label <> ''),
  "Nick ""n"""    text NOT NULL DEFAULT 'it''s "none"',
  docs            json DEFAULT '{"a":  1}'
);
CREATE INDEX "boats by label" ON "Boat ""log""" (lower(label));
COMMENT ON COLUMN "Boat ""log""".label IS 'What''s on it.';
ALTER TABLE "Boat ""log""" ALTER COLUMN label SET STATISTICS 250, ALTER COLUMN label SET (n_distinct = -0.5), ALTER COLUMN label SET STORAGE EXTERNAL;
GRANT SELECT, UPDATE (label) ON "Boat ""log""" TO PUBLIC;

-- DOWN
DROP TABLE "Boat ""log""";
