-- Forgets the backfills of an item that was taken back.
WITH ours AS (
  SELECT version FROM item WHERE version = $1 AND epoch = $2
), proofs AS (
  DELETE FROM proof p USING ours WHERE p.version = ours.version
)
DELETE FROM backfill b USING ours WHERE b.version = ours.version
