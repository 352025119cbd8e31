-- Starts the second pass at the beginning.
UPDATE backfill_range SET pass = 2, cursor = NULL, finished = false, updated_at = now()
WHERE version = $1 AND step = $2 AND range = 0 AND epoch = $3 AND pass = 1 AND finished
