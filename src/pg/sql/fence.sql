-- Locks the item's row while the epoch is ours; no row: another runner took over.
SELECT 1 AS ours FROM item WHERE version = $1 AND epoch = $2 FOR NO KEY UPDATE
