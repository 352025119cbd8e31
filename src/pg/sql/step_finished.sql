-- Records that a step is done or undone, while the epoch is ours.
WITH ours AS (
  SELECT version FROM item WHERE version = $1 AND epoch = $2 FOR NO KEY UPDATE
), finished AS (
  UPDATE step SET status = $4, finished_at = clock_timestamp(), error = NULL, runner = $5,
    -- Where there was nothing to take back, what started is the step itself.
    duration_ms = CASE WHEN $4 = 'undone' AND status <> 'undoing' THEN 0
                       ELSE greatest(0, (extract(epoch FROM clock_timestamp() - started_at) * 1000)::bigint) END
  FROM ours WHERE step.version = ours.version AND step.step = $3
  RETURNING step.version, step.step, step.status, step.duration_ms
)
INSERT INTO history (version, event, step, outcome, duration_ms, sql, detail, runner)
SELECT version, CASE status WHEN 'done' THEN 'step' ELSE 'undo' END, step, 'ok', duration_ms, $6, $7, $5 FROM finished
