-- A chunk that is on lease, as it is now.
SELECT chunk, pass, walk, leaf, filenode, epoch, cursor, upper, window_end, stripe, stripe_by, stripes, finished
FROM backfill_chunk WHERE version = $1 AND step = $2 AND pass = $3 AND chunk = $4 AND epoch = $5
