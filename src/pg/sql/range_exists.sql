-- Whether a backfill has begun.
SELECT 1 AS begun FROM backfill_range WHERE version = $1 AND step = $2 AND range = 0
