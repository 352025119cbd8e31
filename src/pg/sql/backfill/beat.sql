-- Says how workers are, renews their leases, and learns what there is to know. $1: a JSON array of workers.
WITH said AS (
  SELECT * FROM jsonb_to_recordset($3::jsonb) AS w(
    id bigint, pace text, why text, chunk int, batch_rows bigint, batch_ms float8, rows_per_s float8, stripe_by text, hot_share float8)
), heard AS (
  UPDATE backfill_worker w SET pace = said.pace, why = said.why, chunk = said.chunk, batch_rows = said.batch_rows,
    batch_ms = said.batch_ms, rows_per_s = said.rows_per_s, stripe_by = said.stripe_by, hot_share = said.hot_share, seen_at = clock_timestamp()
  FROM said WHERE w.id = said.id
), renewed AS (
  UPDATE backfill_chunk c SET lease_until = clock_timestamp() + $4 * interval '1 second'
  FROM (SELECT c.version, c.step, c.pass, c.chunk FROM backfill_chunk c JOIN said ON c.worker = said.id
        WHERE c.version = $1 AND c.step = $2 AND NOT c.finished
          AND c.lease_until BETWEEN clock_timestamp() AND clock_timestamp() + $4 * interval '0.5 second'
        FOR UPDATE OF c SKIP LOCKED) AS mine
  WHERE c.version = mine.version AND c.step = mine.step AND c.pass = mine.pass AND c.chunk = mine.chunk
)
SELECT clock_timestamp() AS now, (SELECT reason FROM hold WHERE version = $1 AND lifted_at IS NULL) AS hold,
       (SELECT settings FROM backfill_tune WHERE version = $1) AS tune,
       (SELECT count(*) FROM quarantine WHERE version = $1 AND step = $2) AS quarantined
