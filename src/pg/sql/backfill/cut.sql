-- Puts the chunks of a leaf on record, in the place of those that it had; $7: their bounds as JSON; $8: its rows
-- are known by their places. What was known by its place in another storage, or in a leaf that is gone, is found again.
WITH ours AS (
  SELECT b.version, b.step, b.pass FROM item i JOIN backfill b ON b.version = i.version AND b.step = $3
  WHERE i.version = $1 AND i.epoch = $2 FOR NO KEY UPDATE OF i
), misplaced AS (
  DELETE FROM quarantine q USING ours
  WHERE $8 AND q.version = ours.version AND q.step = ours.step AND q.leaf = $4
    AND EXISTS (SELECT FROM backfill_chunk c WHERE c.version = ours.version AND c.step = ours.step
                AND c.leaf = $4 AND c.filenode IS DISTINCT FROM $5)
), gone AS (
  DELETE FROM backfill_chunk c USING ours
  WHERE c.version = ours.version AND c.step = ours.step AND c.pass = ours.pass AND c.leaf = $4
), first AS (
  SELECT coalesce(max(c.chunk), -1) + 1 AS number FROM backfill_chunk c, ours
  WHERE c.version = ours.version AND c.step = ours.step AND c.pass = ours.pass
), cuts AS (
  SELECT n, (SELECT array_agg(x ORDER BY o) FROM jsonb_array_elements_text(nullif(cut -> 'lower', 'null')) WITH ORDINALITY AS l(x, o)) AS lower,
         (SELECT array_agg(x ORDER BY o) FROM jsonb_array_elements_text(nullif(cut -> 'upper', 'null')) WITH ORDINALITY AS u(x, o)) AS upper,
         (cut ->> 'rows')::bigint AS rows
  FROM jsonb_array_elements($7::jsonb) WITH ORDINALITY AS c(cut, n)
)
INSERT INTO backfill_chunk (version, step, pass, chunk, leaf, filenode, walk, cursor, upper, rows_total, finished)
SELECT ours.version, ours.step, ours.pass, first.number + cuts.n::int - 1, $4, $5, $6, cuts.lower, cuts.upper, cuts.rows, cuts.upper IS NULL
FROM ours, first, cuts
