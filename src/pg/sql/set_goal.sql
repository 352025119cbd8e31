-- Compare-and-set of the goal, before any effect; the file's text is fixed when it leaves planned.
WITH aimed AS (
  UPDATE item SET goal = $5, error = NULL, runner = $6,
    source = CASE WHEN state = 'planned' THEN $7 ELSE source END,
    checksum = CASE WHEN state = 'planned' THEN $8 ELSE checksum END,
    tables = CASE WHEN state = 'planned' THEN $9::text[] ELSE tables END,
    known = CASE WHEN state = 'planned' THEN $12::text::jsonb ELSE known END,
    depends_on = CASE WHEN state = 'planned' THEN $10::text[] ELSE depends_on END,
    name = CASE WHEN state = 'planned' THEN $11 ELSE name END
  WHERE version = $1 AND epoch = $2 AND state = $3 AND goal = $4
  RETURNING version, state, goal
)
INSERT INTO history (version, event, from_state, to_state, outcome, runner, gates)
SELECT version, 'transition', state, goal, 'started', $6, $13::jsonb FROM aimed
