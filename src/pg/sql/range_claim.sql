-- Takes a backfill's range for this epoch; makes it if it is not there.
INSERT INTO backfill_range (version, step, range, epoch, upper, rows_total, finished)
SELECT i.version, $3, 0, i.epoch, $4, $5, $6 FROM item i WHERE i.version = $1 AND i.epoch = $2
ON CONFLICT (version, step, range) DO UPDATE SET epoch = excluded.epoch
RETURNING pass, cursor, upper, finished, rows_seen, rows_written, rows_total, batches
