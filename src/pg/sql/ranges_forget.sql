-- Forgets the backfills of an item that was taken back.
DELETE FROM backfill_range b USING item i WHERE i.version = $1 AND i.epoch = $2 AND b.version = i.version
