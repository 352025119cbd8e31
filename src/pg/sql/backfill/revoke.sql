-- Ends every lease of an item, before anything of it is taken back: batches that are under way end first.
WITH ours AS (
  SELECT version FROM item WHERE version = $1 AND epoch = $2
)
UPDATE backfill_chunk c SET epoch = c.epoch + 1, worker = NULL, backend = NULL, lease_until = NULL
FROM ours WHERE c.version = ours.version AND NOT c.finished
