-- How far each backfill of an item is.
SELECT step, pass, finished, rows_seen, rows_written, rows_total, batches, started_at, updated_at
FROM backfill_range WHERE version = $1 ORDER BY step, range
