-- How a backfill stands: what is left of its pass, and whether the item may go on.
SELECT count(c.chunk) FILTER (WHERE NOT c.finished) AS left,
       i.state = 'expanded' AND i.goal = 'backfilled'
         OR b.pass = 2 AND i.state IN ('backfilled', 'validated') AND i.goal IN ('backfilled', 'validated') AS open,
       (SELECT reason FROM hold WHERE version = b.version AND lifted_at IS NULL) AS hold
FROM backfill b JOIN item i ON i.version = b.version
LEFT JOIN backfill_chunk c ON c.version = b.version AND c.step = b.step AND c.pass = b.pass
WHERE b.version = $1 AND b.step = $2 GROUP BY b.version, b.step, b.pass, i.state, i.goal
