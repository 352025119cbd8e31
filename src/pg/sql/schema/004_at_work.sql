-- Runs with search_path on the metadata schema, in one transaction.

ALTER TABLE impact ADD COLUMN doing text, ADD COLUMN doing_since timestamptz,
  ADD COLUMN backend_pid int, ADD COLUMN backend_start timestamptz;
COMMENT ON COLUMN impact.backend_pid IS 'The server process that runs the step; it may outlive its client.';
COMMENT ON COLUMN impact.backend_start IS 'When that was started: numbers come again.';
COMMENT ON COLUMN impact.doing IS 'What the run waits for, or how far it is, in words; null: nothing to tell, or it is over.';
COMMENT ON COLUMN impact.doing_since IS 'Since when.';
