-- Begins a backfill, or takes up one that has begun; another signature starts its walk again.
WITH ours AS (
  SELECT version FROM item WHERE version = $1 AND epoch = $2 FOR NO KEY UPDATE
), stale AS (
  DELETE FROM backfill_chunk c USING ours, backfill b
  WHERE c.version = ours.version AND c.step = $3 AND b.version = ours.version AND b.step = $3 AND b.signature <> $4
)
INSERT INTO backfill (version, step, signature, wal_start)
SELECT version, $3, $4, pg_current_wal_insert_lsn() FROM ours
ON CONFLICT (version, step) DO UPDATE
SET pass = CASE WHEN backfill.signature = excluded.signature THEN backfill.pass ELSE 1 END, signature = excluded.signature
RETURNING pass
