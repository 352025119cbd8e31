-- Counts a batch that is tried again, and why.
UPDATE backfill SET retries = retries + 1, last_retry = $3 WHERE version = $1 AND step = $2
