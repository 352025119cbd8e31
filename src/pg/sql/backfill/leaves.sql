-- The leaves that a pass has chunks of, each with the storage that they were cut from.
SELECT leaf, min(filenode) AS filenode, sum(rows_seen)::bigint AS rows FROM backfill_chunk
WHERE version = $1 AND step = $2 AND pass = $3 GROUP BY leaf
