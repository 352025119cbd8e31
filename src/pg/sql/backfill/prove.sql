-- Goes over to the proof, once every chunk of the work is finished.
WITH ours AS (
  SELECT version FROM item WHERE version = $1 AND epoch = $2 FOR NO KEY UPDATE
)
UPDATE backfill b SET pass = 2, proof_since = clock_timestamp() FROM ours
WHERE b.version = ours.version AND b.step = $3 AND b.pass = 1
  AND NOT EXISTS (SELECT FROM backfill_chunk c WHERE c.version = b.version AND c.step = b.step AND c.pass = 1 AND NOT c.finished)
