-- The steps on record of one item.
SELECT step, status, attempts, started_at, finished_at, duration_ms, undo, error
FROM step WHERE version = $1 ORDER BY position
