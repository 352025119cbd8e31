-- Who else holds locks on relations ($1, names as to_regclass reads them) and their partitions, or
-- waits for them; our sessions ($2) left out. What our role may not see is null.
WITH wanted AS (
  SELECT u.n::int AS n, coalesce(tree.relid::oid, r.oid) AS relation
  FROM unnest($1::text[]) WITH ORDINALITY AS u(name, n)
  CROSS JOIN LATERAL (SELECT to_regclass(u.name)::oid AS oid) AS r
  LEFT JOIN LATERAL (SELECT relid FROM pg_partition_tree(r.oid)) AS tree ON true
  WHERE r.oid IS NOT NULL
)
SELECT wanted.n, l.mode, coalesce(l.pid, 0) AS pid, l.virtualtransaction AS transaction,
       coalesce(a.usename::text, p.owner::text) AS usename, coalesce(a.application_name, p.gid) AS application_name,
       coalesce(a.state, a.backend_type) AS state,
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8 AS age_s,
       left(a.query, 4000) AS query,
       coalesce(a.backend_type = 'autovacuum worker' AND a.query NOT LIKE '%to prevent wraparound%', false) AS gives_way
FROM wanted JOIN pg_locks l ON l.locktype = 'relation' AND l.relation = wanted.relation
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid'
  AND x.virtualtransaction = l.virtualtransaction
LEFT JOIN pg_prepared_xacts p ON p.transaction = x.transactionid
WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND NOT coalesce(l.pid = ANY ($2), false)
