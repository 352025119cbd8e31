-- Takes a worker from the record, and whoever has not been heard of for a day.
DELETE FROM backfill_worker WHERE id = $1 OR seen_at < now() - interval '1 day'
