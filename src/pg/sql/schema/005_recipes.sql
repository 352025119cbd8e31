-- Runs with search_path on the metadata schema, in one transaction.

ALTER TABLE item ADD COLUMN known jsonb;
COMMENT ON COLUMN item.known IS 'What the catalog said of the tables of its recipes when it started: its steps follow from this and the file.';
