-- Records that a step is about to be sent, while the epoch is ours.
WITH ours AS (
  SELECT version FROM item WHERE version = $1 AND epoch = $2 FOR NO KEY UPDATE
)
INSERT INTO step (version, step, position, status, undo, runner)
SELECT version, $3, $4, $5, $6, $7 FROM ours
ON CONFLICT (version, step) DO UPDATE
SET status = excluded.status, attempts = step.attempts + 1, started_at = clock_timestamp(), finished_at = NULL,
    duration_ms = NULL, undo = coalesce(excluded.undo, step.undo), error = NULL, runner = excluded.runner
