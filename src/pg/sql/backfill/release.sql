-- Gives a chunk back before its lease ends.
UPDATE backfill_chunk SET worker = NULL, backend = NULL, lease_until = NULL
WHERE version = $1 AND step = $2 AND pass = $3 AND chunk = $4 AND epoch = $5
