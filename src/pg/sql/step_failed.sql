-- Records why a step failed; $7: it was rolled back whole, so that nothing of it is there.
WITH failed AS (
  UPDATE step SET error = $4,
    status = CASE WHEN $7::boolean AND status = 'started' THEN 'undone'
                  WHEN $7::boolean AND status = 'undoing' THEN 'done' ELSE status END,
    duration_ms = greatest(0, (extract(epoch FROM clock_timestamp() - started_at) * 1000)::bigint)
  FROM item
  WHERE step.version = $1 AND step.step = $3 AND item.version = step.version AND item.epoch = $2
  RETURNING step.version, step.step, step.duration_ms
)
INSERT INTO history (version, event, step, outcome, duration_ms, sql, detail, runner)
SELECT version, 'step', step, 'failed', duration_ms, $5, $4, $6 FROM failed
