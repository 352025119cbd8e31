-- An operator says what became of an interrupted statement: done, or not run.
WITH resolved AS (
  UPDATE step SET status = CASE WHEN $2::boolean
      THEN CASE status WHEN 'started' THEN 'done' ELSE 'undone' END
      ELSE CASE status WHEN 'started' THEN 'undone' ELSE 'done' END END,
    error = NULL, runner = $3
  WHERE version = $1 AND status IN ('started', 'undoing') AND step = ANY ($4::text[])
  RETURNING version, step, status
)
INSERT INTO history (version, event, step, outcome, detail, runner)
SELECT version, 'resolve', step, 'ok', 'an operator says: ' || status, $3 FROM resolved
