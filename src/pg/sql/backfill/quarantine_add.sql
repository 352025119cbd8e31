-- Puts a row into quarantine, while the chunk is ours; how many there are now.
WITH ours AS (
  SELECT version, step, leaf FROM backfill_chunk
  WHERE version = $1 AND step = $2 AND pass = $3 AND chunk = $4 AND epoch = $5 FOR NO KEY UPDATE
), added AS (
  INSERT INTO quarantine (version, step, leaf, key, sqlstate, error)
  SELECT version, step, leaf, $6, $7, $8 FROM ours
  ON CONFLICT (version, step, leaf, key) DO UPDATE
  SET sqlstate = excluded.sqlstate, error = excluded.error, attempts = quarantine.attempts + 1, last_at = now()
  RETURNING xmax = 0 AS new
)
SELECT (SELECT count(*) FROM quarantine q WHERE q.version = $1 AND q.step = $2) + new::int AS rows FROM added
