-- Compare-and-set of the state, after the work; a way back to planned forgets the steps, history keeps them.
WITH reached AS (
  UPDATE item SET state = goal, state_since = clock_timestamp(), error = NULL,
    batch = CASE WHEN goal = 'planned' THEN NULL ELSE coalesce($7, batch) END,
    source = CASE WHEN goal = 'planned' THEN NULL ELSE source END,
    checksum = CASE WHEN goal = 'planned' THEN NULL ELSE checksum END
  WHERE version = $1 AND epoch = $2 AND state = $3 AND goal = $4
  RETURNING version, goal
), forgotten AS (
  DELETE FROM step USING reached WHERE step.version = reached.version AND reached.goal = 'planned'
)
INSERT INTO history (version, event, from_state, to_state, outcome, duration_ms, runner)
SELECT version, 'transition', $3, goal, 'ok', $6, $5 FROM reached
