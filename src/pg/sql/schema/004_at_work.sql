-- Runs with search_path on the metadata schema, in one transaction.

ALTER TABLE impact ADD COLUMN doing text, ADD COLUMN doing_since timestamptz;
COMMENT ON COLUMN impact.doing IS 'What the run waits for, or how far it is, in words; null: nothing to tell, or it is over.';
COMMENT ON COLUMN impact.doing_since IS 'Since when.';
