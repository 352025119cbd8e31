-- Records why an attempt failed; the goal stays, so that the next run takes it up again.
WITH failed AS (
  UPDATE item SET error = $3 WHERE version = $1 AND epoch = $2 RETURNING version, state, goal
)
INSERT INTO history (version, event, from_state, to_state, outcome, detail, runner)
SELECT version, 'transition', state, goal, 'failed', $3, $4 FROM failed
