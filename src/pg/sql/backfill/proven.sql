-- Puts the proof on record, once every chunk of it is finished; none when a row left quarantine meanwhile that was
-- not found under its key: a chunk that began before that may have missed it.
WITH ours AS (
  SELECT i.version, b.step, b.proof_since FROM item i JOIN backfill b ON b.version = i.version AND b.step = $3
  WHERE i.version = $1 AND i.epoch = $2 AND b.pass = 2 FOR NO KEY UPDATE OF i, b
), sums AS (
  SELECT ours.version, ours.step, ours.proof_since, sum(c.rows_seen)::bigint AS rows,
    sum(c.rows_written)::bigint AS written, sum(c.out_of_step)::bigint AS out_of_step
  FROM ours JOIN backfill_chunk c ON c.version = ours.version AND c.step = ours.step AND c.pass = 2
  GROUP BY ours.version, ours.step, ours.proof_since HAVING bool_and(c.finished) AND coalesce(min(c.started_at) >= ours.proof_since, true)
), noted AS (
  INSERT INTO history (version, event, step, outcome, detail, runner)
  SELECT version, 'proof', step, 'ok', format('looked at %s rows: %s written, %s out of step', rows, written, out_of_step), $4
  FROM sums
), proven AS (
  INSERT INTO proof (version, step, began_at, rows, out_of_step, runner)
  SELECT version, step, coalesce(proof_since, now()), rows, out_of_step, $4 FROM sums
  ON CONFLICT (version, step) DO UPDATE
  SET began_at = excluded.began_at, ended_at = clock_timestamp(), rows = excluded.rows, out_of_step = excluded.out_of_step, runner = excluded.runner
)
SELECT rows, written, out_of_step FROM sums
