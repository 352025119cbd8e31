-- Leases a chunk that nobody has, or whose worker is gone; none while the item is held or taken back.
WITH allowed AS (
  SELECT b.version, b.step, b.pass FROM item i JOIN backfill b ON b.version = i.version AND b.step = $2
  WHERE i.version = $1
    AND (i.state = 'expanded' AND i.goal = 'backfilled' OR b.pass = 2 AND i.state IN ('backfilled', 'validated') AND i.goal IN ('backfilled', 'validated'))
    AND NOT EXISTS (SELECT FROM hold h WHERE h.version = i.version AND h.lifted_at IS NULL)
  FOR SHARE OF i
), free AS (
  SELECT c.version, c.step, c.pass, c.chunk FROM backfill_chunk c, allowed
  WHERE c.version = allowed.version AND c.step = allowed.step AND c.pass = allowed.pass AND NOT c.finished
    AND (c.worker IS NULL OR c.lease_until < clock_timestamp()
         OR NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = c.backend))
  ORDER BY c.chunk LIMIT 1 FOR UPDATE OF c SKIP LOCKED
)
UPDATE backfill_chunk c SET epoch = c.epoch + 1, worker = $3, backend = $4,
  lease_until = clock_timestamp() + $5 * interval '1 second', started_at = coalesce(c.started_at, clock_timestamp())
FROM free WHERE c.version = free.version AND c.step = free.step AND c.pass = free.pass AND c.chunk = free.chunk
RETURNING c.chunk, c.pass, c.walk, c.leaf, c.filenode, c.epoch, c.cursor, c.upper, c.window_end, c.stripe, c.stripe_by, c.stripes, c.finished
