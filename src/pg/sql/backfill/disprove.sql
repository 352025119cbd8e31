-- Takes the proofs of an item back: rows may have been written around its sync.
UPDATE backfill b SET proof_since = clock_timestamp() FROM item i
WHERE i.version = $1 AND i.epoch = $2 AND b.version = i.version
