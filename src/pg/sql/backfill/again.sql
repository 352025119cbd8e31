-- Takes the proof from the beginning again.
WITH ours AS (
  SELECT version FROM item WHERE version = $1 AND epoch = $2 FOR NO KEY UPDATE
), gone AS (
  DELETE FROM backfill_chunk c USING ours WHERE c.version = ours.version AND c.step = $3 AND c.pass = 2
)
UPDATE backfill b SET pass = 2, proof_since = clock_timestamp() FROM ours WHERE b.version = ours.version AND b.step = $3
